//! Where an annotation would teach most.
