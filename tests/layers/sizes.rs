//! How long functions are.

use std::path::Path;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The functions of a file that have more lines than `most`, from their name to their closing brace.
pub fn long_functions(path: &Path, text: &str, most: usize) -> Vec<String> {
    let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader { most, long: Vec::new() };
    reader.visit_file(&file);
    reader.long.iter().map(|found| format!("  {}: {found}", path.display())).collect()
}

struct Reader {
    most: usize,
    long: Vec<String>,
}

impl Reader {
    fn measure(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let first = signature.ident.span().start().line;
        let lines = block.span().end().line - first + 1;
        if lines > self.most {
            self.long.push(format!("{first}: {}, {lines} lines", signature.ident));
        }
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
