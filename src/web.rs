//! The only place that knows JavaScript.
