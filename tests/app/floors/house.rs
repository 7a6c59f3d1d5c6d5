//! The source tree as the gates see it: every file with its module path and the paths that it imports.

use std::{collections::BTreeSet, fs, path::Path};

use super::rust_text::{Code, ident};

/// What only pages have.
const PAGE_MARKS: &[&str] = &["pub async fn show(", "#[server("];

/// Every Rust file of the crate, or a few made up for a test.
pub struct House {
    pub sources: Vec<Source>,
    modules: BTreeSet<Vec<String>>,
}

/// One file.
pub struct Source {
    /// From the root of the crate, such as `src/web/login.rs`.
    pub path: String,
    pub text: String,
    pub code: Code,
}

/// A path that a file names, from the crate's root on, and where it does.
#[derive(Clone)]
pub struct Import {
    pub at: usize,
    pub path: Vec<String>,
}

impl House {
    /// Reads the tree.
    pub fn on_disk() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut sources = Vec::new();
        for folder in ["src", "tests", "benches", "examples"] {
            read_folder(root, &root.join(folder), &mut sources);
        }
        Self::new(sources)
    }

    /// Makes a tree of the given paths and texts.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|&(path, text)| Source::new(path.to_owned(), text.to_owned())).collect())
    }

    fn new(sources: Vec<Source>) -> Self {
        let modules = sources.iter().filter(|source| source.is_in_crate()).map(Source::module).collect();
        Self { sources, modules }
    }

    /// The files of the crate itself.
    pub fn crate_sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.is_in_crate())
    }

    /// Whether the module answers an address: it shows something, or is called by a form.
    pub fn is_page(&self, module: &[String]) -> bool {
        let mut web = self.crate_sources().filter(|source| source.path.starts_with("src/web/"));
        let source = web.find(|source| source.module() == module);
        source.is_some_and(|source| PAGE_MARKS.iter().any(|mark| source.code.as_str().contains(mark)))
    }

    /// The module that `path` leads to or into.
    pub fn module_of<'a>(&self, path: &'a [String]) -> &'a [String] {
        (0..=path.len()).rev().map(|len| &path[..len]).find(|prefix| self.modules.contains(*prefix)).unwrap_or(&[])
    }
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let code = Code::of(&text);
        Self { path, text, code }
    }

    pub fn is_in_crate(&self) -> bool {
        self.path.starts_with("src/")
    }

    /// The module path: `["web", "http"]` for `src/web/http/mod.rs`, nothing for the crate's roots.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        let parts: Vec<_> = path.split('/').map(str::to_owned).collect();
        if matches!(parts.as_slice(), [root] if root == "lib" || root == "main") { Vec::new() } else { parts }
    }

    /// Every path of the crate that the file names, in `use` and elsewhere.
    pub fn imports(&self) -> Vec<Import> {
        let code = self.code.as_str();
        let mut found = Vec::new();
        for at in self.code.words("crate").filter(|&at| code[at..].starts_with("crate::")) {
            self.collect(at + "crate::".len(), Import { at, path: Vec::new() }, &mut found);
        }
        for at in self.code.words("super").filter(|&at| !code[..at].ends_with("super::")) {
            let supers = code[at..].split("::").take_while(|part| *part == "super").count();
            let mut path = self.module_at(at);
            path.truncate(path.len().saturating_sub(supers));
            self.collect(at + supers * "super::".len(), Import { at, path }, &mut found);
        }
        found
    }

    /// The module path at an offset, with the inline modules around it.
    fn module_at(&self, at: usize) -> Vec<String> {
        let inline = self.code.inline_modules();
        let around = inline.iter().filter(|(_, body)| body.contains(&at)).map(|(name, _)| (*name).to_owned());
        self.module().into_iter().chain(around).collect()
    }

    /// Follows the path at `cursor`, through groups, and notes where each branch ends.
    fn collect(&self, mut cursor: usize, mut branch: Import, found: &mut Vec<Import>) {
        let code = self.code.as_str();
        loop {
            cursor += code.get(cursor..).map_or(0, |rest| rest.len() - rest.trim_start().len());
            let Some(rest) = code.get(cursor..) else { break };
            if rest.starts_with('{') {
                for start in self.group_items(cursor) {
                    self.collect(start, branch.clone(), found);
                }
                return;
            }
            let Some(name) = ident(rest) else { break };
            if name != "self" {
                branch.path.push(name.to_owned());
            }
            cursor += name.len();
            if !code[cursor..].starts_with("::") {
                break;
            }
            cursor += 2;
        }
        found.push(branch);
    }

    /// Where the items of the group `{a, b::{c, d}}` at `open` begin.
    fn group_items(&self, open: usize) -> Vec<usize> {
        let range = self.code.bracket(open);
        let mut depth = 0_usize;
        let mut starts = vec![open + 1];
        for (offset, c) in self.code.as_str()[range].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 1 => starts.push(open + offset + 1),
                _ => {}
            }
        }
        starts
    }
}

fn read_folder(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            read_folder(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            sources.push(Source::new(name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn imports_are_read_through_groups_and_supers() {
    let paths = |path, text| {
        let house = House::of(&[(path, text)]);
        let mut paths: Vec<_> = house.sources[0].imports().into_iter().map(|import| import.path.join("::")).collect();
        paths.sort();
        paths
    };
    assert_eq!(paths("src/a/b.rs", "use crate::{c::{D, e::f}, g, self};"), ["", "c::D", "c::e::f", "g"]);
    assert_eq!(paths("src/a/b.rs", "use super::c; fn f() { super::super::d::<E>(); }"), ["a::c", "d"]);
    assert_eq!(paths("src/a/mod.rs", "mod tests { use super::*; use super::super::b; }"), ["a", "b"]);
    assert_eq!(paths("src/a.rs", "pub(crate) fn f() {} // crate::b"), [""; 0]);
}
