//! Where maps are cut: chunks, halos and slabs, and which maps are recomputed. Fixed before the list is begun.

use super::list::PlanSettings;
use crate::engine::nn::graph::{Graph, Operation, Step};
use crate::engine::wgsl::kernel::Kernel;
use crate::engine::wgsl::layout::Layout;
use crate::engine::wgsl::{conv, conv_transpose};
use crate::error::{Error, Result};
use std::ops::Range;

/// What is known of every map and step before the work is listed.
pub struct Chunking<'a> {
    /// The network.
    pub graph: &'a Graph,
    /// The image, `[x, y, z]`.
    pub dims: [usize; 3],
    /// Settings.
    pub settings: &'a PlanSettings,
    /// How each map lies.
    pub layouts: Vec<Layout>,
    /// Whether a map is recomputed.
    pub recomputed: Vec<bool>,
    /// Planes on either side that a map's readers need beyond their own.
    pub halos: Vec<usize>,
    /// Where maps are cut, by level: the first plane of each chunk, then the end. All but the end are even.
    cuts: Vec<Vec<usize>>,
}

impl<'a> Chunking<'a> {
    /// Chunking the maps of `graph`; with `pass`, those of full size that are cheap to make are recomputed.
    ///
    /// # Errors
    /// `Limit` where a plane exceeds a binding.
    pub fn new(graph: &'a Graph, dims: [usize; 3], settings: &'a PlanSettings, pass: bool) -> Result<Self> {
        let maps = graph.maps.len();
        let layouts: Vec<Layout> =
            (0..maps).map(|map| Layout::new(graph.maps[map].channels, graph.dims(map, dims))).collect();
        let last = graph.steps.len() - 2;
        // Of full size, cheap, and neither the image nor what the last step reads.
        let recomputed = (0..maps).map(|map| {
            let made = graph.steps.iter().position(|step| step.output == map);
            let cheap = |at: usize| at < last && !matches!(graph.steps[at].kind, Operation::AttentionGate(_));
            pass && graph.maps[map].level == 0 && made.is_some_and(cheap)
        });
        let recomputed: Vec<bool> = recomputed.collect();
        let mut halos = vec![0usize; maps];
        for step in graph.steps.iter().rev() {
            let around = if recomputed[step.output] { halos[step.output] } else { 0 };
            for (which, source) in step.sources.iter().enumerate() {
                let need = match step.kind {
                    Operation::Conv(_) => around + 1,
                    Operation::ConvTranspose(_) => around.div_ceil(2),
                    // The sum takes the place of its first source, and is read in its turn.
                    Operation::ResidualAdd if which == 0 => halos[step.output],
                    _ => around,
                };
                halos[source.map] = halos[source.map].max(need);
            }
        }
        let mut frame = Self { graph, dims, settings, cuts: Vec::new(), layouts, recomputed, halos };
        let deepest = graph.maps.iter().map(|map| map.level).max().unwrap_or(0);
        frame.cuts = (0..=deepest).map(|level| frame.cut(level)).collect::<Result<_>>()?;
        Ok(frame)
    }

    /// As few chunks of the maps of a level as the limit of a binding allows.
    fn cut(&self, level: usize) -> Result<Vec<usize>> {
        let maps: Vec<usize> =
            (0..self.layouts.len()).filter(|&map| self.graph.maps[map].level == level).collect();
        let z = self.dims[2] >> level;
        for count in 1..=(z / 2).max(1) {
            let mut cuts: Vec<usize> = (0..count).map(|k| k * z / count / 2 * 2).collect();
            cuts.push(z);
            let longest = cuts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(z);
            let fits = |&map: &usize| {
                let with_halo = (longest + 2 * self.halos[map]).min(z);
                self.recomputed[map]
                    || self.bytes(&self.layouts[map], with_halo) <= self.settings.limits.binding
            };
            if maps.iter().all(fits) {
                return Ok(cuts);
            }
        }
        let [x, y, z] = self.dims;
        let mib = self.settings.limits.binding >> 20;
        Err(Error::limit(
            "GPU",
            format!("planes of a {x} x {y} x {z} image that exceed a binding of {mib} MiB"),
            "a smaller volume, or the CPU",
        ))
    }

    /// Bytes of some planes.
    pub fn bytes(&self, layout: &Layout, planes: usize) -> u64 {
        (planes * layout.pitch * self.settings.precision.block_bytes()) as u64
    }

    /// The planes of each chunk of a map.
    pub fn cores(&self, map: usize) -> Vec<Range<usize>> {
        self.cuts[self.graph.maps[map].level].windows(2).map(|pair| pair[0]..pair[1]).collect()
    }

    /// Output planes where the input chunk changes; a slab may not cross them.
    fn ends(&self, step: &Step) -> Vec<usize> {
        let level = self.graph.maps[step.output].level;
        let mut ends = self.cuts[level].clone();
        for source in &step.sources {
            let made = self
                .graph
                .steps
                .iter()
                .filter(|made| self.recomputed[source.map] && made.output == source.map);
            let below = made.flat_map(|made| self.ends(made));
            let theirs = self.graph.maps[source.map].level;
            let cuts = self.cuts[theirs].iter().copied().chain(below);
            ends.extend(cuts.map(|cut| if theirs > level { 2 * cut } else { cut >> (level - theirs) }));
        }
        ends
    }

    /// The slabs of a step: within a chunk of everything it sees, and as many planes as a dispatch may cost.
    pub fn slabs(&self, step: &Step, core: &Range<usize>) -> Vec<Range<usize>> {
        let each = self.graph.flops(step, self.dims) / self.layouts[step.output].dims[2] as f64;
        // Of a recomputed map a slab is a buffer, whatever the chunks of its level.
        let plane = self.bytes(&self.layouts[step.output], 1);
        let most = ((self.settings.limits.dispatch / each) as usize)
            .min((self.settings.limits.binding / plane) as usize);
        let recomputed = step.sources.iter().any(|source| self.recomputed[source.map]);
        let most = most.clamp(1, if recomputed { 4 } else { 65535 });
        let mut ends = self.ends(step);
        ends.retain(|end| core.contains(end) && *end > core.start);
        ends.push(core.end);
        ends.sort_unstable();
        ends.dedup();
        let mut slabs = Vec::new();
        let mut start = core.start;
        for end in ends {
            // Even ones.
            let (length, count) = (end - start, (end - start).div_ceil(most));
            slabs.extend((0..count).map(|k| start + k * length / count..start + (k + 1) * length / count));
            start = end;
        }
        slabs
    }

    /// The kernel of a step that leaves moments.
    pub fn kernel(&self, step: &Step) -> Kernel {
        match step.kind {
            Operation::Conv(_) => conv::kernel(&self.layouts[step.output], self.settings.tiled),
            _ => conv_transpose::FORWARD,
        }
    }

    /// The last step that reads a map, by way of a recomputed one or not.
    pub fn last_use(&self, map: usize) -> usize {
        let of = |(index, step): (usize, &Step)| {
            let reads = step.sources.iter().any(|source| source.map == map);
            let passed = if reads && self.recomputed[step.output] { self.last_use(step.output) } else { 0 };
            if reads { index.max(passed) } else { 0 }
        };
        self.graph.steps.iter().enumerate().map(of).max().unwrap_or(0)
    }
}
