//! Which module imports which, read from the source: `use` items, and paths that begin with `crate`, `super`, `self`, the
//! name of a child module or, in the command, that of the library.

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use syn::visit::{self, Visit};

/// A file of `src/` as a module, with all paths that it names.
pub struct Source {
    /// `["lib", "grid", "reorient"]`; the command is `["bin", ...]`.
    pub module: Vec<String>,
    /// Absolute paths of what it names, module and item, as far as they begin in this crate.
    names: BTreeSet<Vec<String>>,
}

impl Source {
    /// Reads the file `path`, `src/...`, whose content is `text`.
    pub fn new(path: &Path, text: &str) -> Self {
        let module = module_of(path);
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let children = file.items.iter().filter_map(|item| match item {
            syn::Item::Mod(child) if child.content.is_none() => Some(child.ident.to_string()),
            _ => None,
        });
        let mut reader =
            Reader { inside: module.clone(), children: children.collect(), names: BTreeSet::new() };
        reader.visit_file(&file);
        Self { module, names: reader.names }
    }
}

/// `src/grid/reorient.rs` is `lib::grid::reorient`; what `main.rs` declares belongs to the command.
fn module_of(path: &Path) -> Vec<String> {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let mut parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let krate = if ["main", "cli"].contains(&parts[0].as_str()) { "bin" } else { "lib" };
    if parts.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        parts.pop();
    }
    parts.insert(0, krate.to_owned());
    parts
}

struct Reader {
    /// The module, inline ones too, in which the reading stands.
    inside: Vec<String>,
    children: Vec<String>,
    names: BTreeSet<Vec<String>>,
}

impl Reader {
    fn name(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let mut from = match first.as_str() {
            "crate" => vec![self.inside[0].clone()],
            "self" => self.inside.clone(),
            "super" => self.inside[..self.inside.len() - 1].to_vec(),
            "insitu_seg" => vec!["lib".to_owned()],
            child if path.len() > 1 && self.children.iter().any(|name| name == child) => {
                [self.inside.clone(), vec![child.to_owned()]].concat()
            }
            _ => return,
        };
        for part in &path[1..] {
            if part == "super" {
                from.pop();
            } else {
                from.push(part.clone());
            }
        }
        if path != ["self"] {
            self.names.insert(from);
        }
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
            syn::UseTree::Name(name) if name.ident == "self" => self.name(before),
            syn::UseTree::Name(name) => self.name(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.name(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.name(before),
        }
    }

    /// The paths among the words of a macro's call, which nobody has parsed.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(word) if colons == 2 => path.push(word.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    colons += 1;
                    continue;
                }
                other => {
                    self.name(&std::mem::take(&mut path));
                    match other {
                        TokenTree::Ident(word) => path.push(word.to_string()),
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        _ => {}
                    }
                }
            }
            colons = 0;
        }
        self.name(&path);
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a syn::Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        self.inside.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.name(&names);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {} // `pub(super)` imports nothing
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// The rings of modules that import each other, each as a list of its imports.
pub fn cycles(sources: &[Source]) -> Vec<String> {
    let modules: BTreeMap<&[String], usize> =
        sources.iter().enumerate().map(|(index, source)| (&source.module[..], index)).collect();
    let mut graph = DiGraphMap::<usize, Vec<String>>::new();
    for (from, source) in sources.iter().enumerate() {
        for name in &source.names {
            // The longest beginning that is a module; the rest is what it holds.
            let Some((to, length)) =
                (1..=name.len()).rev().find_map(|n| modules.get(&name[..n]).map(|&to| (to, n)))
            else {
                continue;
            };
            if to != from {
                let held = name[length..].join("::");
                if let Some(names) = graph.edge_weight_mut(from, to) {
                    names.push(held);
                } else {
                    graph.add_edge(from, to, vec![held]);
                }
            }
        }
    }
    let name = |index: usize| sources[index].module.join("::");
    let rings = tarjan_scc(&graph).into_iter().filter(|ring| ring.len() > 1);
    rings
        .map(|ring| {
            let inner = graph.all_edges().filter(|(from, to, _)| ring.contains(from) && ring.contains(to));
            let mut lines: Vec<String> = inner
                .map(|(from, to, names)| format!("  {} -> {}: {}", name(from), name(to), names.join(", ")))
                .collect();
            lines.sort();
            format!("{} modules:\n{}", ring.len(), lines.join("\n"))
        })
        .collect()
}
