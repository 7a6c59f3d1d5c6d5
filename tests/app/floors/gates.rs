//! The gates themselves: each reads the house and lists what breaks one rule, with file and line.

use std::{fmt, ops::Range};

use super::{
    house::{House, Import, Source},
    rust_text::{ident, line_of},
};

/// Each module of the crate's root and its floor; a module uses the floors below it and itself.
const FLOORS: &[(&str, u8)] = &[
    ("shared", 0),
    ("platform", 1),
    ("events", 2),
    ("auth", 3),
    ("users", 3),
    ("sessions", 3),
    ("flows", 4),
    ("web", 5),
    ("api", 5),
    ("islands", 5),
    ("jobs", 5),
    ("app", 6),
    ("cli", 6),
    ("config", 6),
];
/// Neighbours that are used all the same: a page shows islands, and both kinds of address ask the same scope.
const NEIGHBOURS: &[(&str, &str)] = &[("web", "islands"), ("api", "web")];
/// The top floor puts the house together, in whatever order it needs.
const TOP_FLOOR: u8 = 6;
/// Where the pages come together, and so are known.
const TREE_OF_ROUTES: &str = "site";
/// What stands in `auth/providers` and is no provider.
const NO_PROVIDERS: &[&str] = &["common_passwords"];
/// The one provider that is a case of another.
const RELATED_PROVIDERS: &[(&str, &str)] = &[("google", "oidc")];
/// Elements whose children Leptos 0.8 emits unescaped.
const RAW_ELEMENTS: &[&str] = &["textarea", "script", "style", "noscript"];
/// The one file that escapes what stands in a `<textarea>`, and tests that it does.
const ESCAPES: &str = "src/web/ui/text_area.rs";
/// The most lines of code of a function.
const FUNCTION_LINES: usize = 60;
/// The most lines of code of a function that renders.
const VIEW_LINES: usize = 100;
/// The most lines of a file, its tests not counted.
const FILE_LINES: usize = 400;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    fn new(source: &Source, at: usize, what: impl Into<String>) -> Self {
        Self { path: source.path.clone(), line: line_of(&source.text, at), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Imports of a module's own floor or of one above.
pub fn upward_imports(house: &House) -> Vec<Finding> {
    find_imports(house, |module, import| {
        let (from, to) = (module.first()?, import.first()?);
        let (floor, other) = (floor_of(from)?, floor_of(to)?);
        let is_near = |(near, used): &(&str, &str)| used == to && module.join("::").starts_with(near);
        let is_fine = other < floor || from == to || floor == TOP_FLOOR || NEIGHBOURS.iter().any(is_near);
        (!is_fine).then(|| format!("`{from}` [{floor}] must not use `{to}` [{other}]"))
    })
}

/// Pages that import pages, parts of pages that do, and providers that import providers.
pub fn sideways_imports(house: &House) -> Vec<Finding> {
    find_imports(house, |module, import| {
        let target = house.module_of(import);
        let is_refused = imports_a_page(house, module, target) || imports_a_provider(module, target);
        is_refused.then(|| format!("`{}` must not use `{}`", module.join("::"), target.join("::")))
    })
}

fn imports_a_page(house: &House, module: &[String], target: &[String]) -> bool {
    let is_family = module.starts_with(target) || target.starts_with(module);
    let is_tree = module.get(1).is_none_or(|name| name == TREE_OF_ROUTES);
    house.is_page(target) && !is_family && !is_tree
}

fn imports_a_provider(module: &[String], target: &[String]) -> bool {
    let ([auth, providers, from, ..], [_, _, to, ..]) = (module, target) else { return false };
    auth == "auth"
        && providers == "providers"
        && target[..2] == module[..2]
        && from != to
        && !NO_PROVIDERS.contains(&to.as_str())
        && !RELATED_PROVIDERS.contains(&(from.as_str(), to.as_str()))
}

fn find_imports(house: &House, judge: impl Fn(&[String], &[String]) -> Option<String>) -> Vec<Finding> {
    let judge_one = |source: &Source, Import { at, path }: &Import| {
        judge(&source.module(), path).map(|what| Finding::new(source, *at, what))
    };
    house
        .crate_sources()
        .flat_map(|source| source.imports().iter().filter_map(|import| judge_one(source, import)).collect::<Vec<_>>())
        .collect()
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Conditions on a feature outside `lib.rs`.
pub fn fences(house: &House) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in house.crate_sources().filter(|source| source.path != "src/lib.rs") {
        for (at, condition) in ["cfg", "cfg_attr"].into_iter().flat_map(|word| conditions(source, word)) {
            if source.code.words("feature").any(|word| condition.contains(&word)) {
                found.push(Finding::new(source, at, "a condition on a feature belongs in lib.rs"));
            }
        }
    }
    found
}

/// What stands in the parentheses after each `word` or `word!`.
fn conditions<'a>(source: &'a Source, word: &'a str) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
    source.code.words(word).filter_map(move |at| {
        let mut open = at + word.len();
        open += usize::from(source.code.as_str()[open..].starts_with('!'));
        source.code.as_str()[open..].starts_with('(').then(|| (at, source.code.bracket(open)))
    })
}

/// Files that don't say at their head what they are.
pub fn nameless_files(house: &House) -> Vec<Finding> {
    let is_nameless =
        |source: &&Source| source.text.strip_prefix("//! ").is_none_or(|purpose| purpose.trim().is_empty());
    let finding = |source| Finding::new(source, 0, "the file must open with `//!` and what it is");
    house.sources.iter().filter(is_nameless).map(finding).collect()
}

/// Text that would reach a page as markup.
pub fn unescaped_text(house: &House) -> Vec<Finding> {
    house
        .crate_sources()
        .flat_map(|source| [titles(source), raw_elements(source), inner_html(source)].concat())
        .collect()
}

fn titles(source: &Source) -> Vec<Finding> {
    let is_dynamic = |at: &usize| {
        let tag = opening_tag(source, *at);
        let value = source.code.words("text").find(|word| tag.contains(word)).map(|word| &source.text[word + 4..]);
        value.is_some_and(|value| !value.starts_with("=\""))
    };
    elements(source, "Title").filter(is_dynamic).map(|at| Finding::new(source, at, "a dynamic <Title>")).collect()
}

fn raw_elements(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in RAW_ELEMENTS.iter().filter(|name| source.path != ESCAPES || **name != "textarea") {
        for at in elements(source, name) {
            let tag = opening_tag(source, at);
            let rest = &source.code.as_str()[tag.end..];
            let children = &rest[..rest.find(&format!("</{name}")).unwrap_or(0)];
            if !source.code.as_str()[tag].ends_with("/>")
                && children.split('{').skip(1).any(|part| !is_constant(part, '}'))
            {
                found.push(Finding::new(source, at, format!("dynamic text in <{name}>, which Leptos does not escape")));
            }
        }
    }
    found
}

fn inner_html(source: &Source) -> Vec<Finding> {
    let is_dynamic = |at: &usize| {
        let value = source.text[at + "inner_html".len()..].strip_prefix('=');
        value.is_some_and(|value| !value.starts_with('"') && !is_constant(value, '>') && !is_constant(value, ' '))
    };
    source
        .code
        .words("inner_html")
        .filter(is_dynamic)
        .map(|at| Finding::new(source, at, "dynamic inner_html"))
        .collect()
}

/// Whether the path up to `end` ends in a constant's name, such as `icons::LOCK`.
fn is_constant(text: &str, end: char) -> bool {
    let Some((path, _)) = text.split_once(end) else { return false };
    let name = path.trim().rsplit("::").next().unwrap_or("");
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// The offsets of `<name` in the views of a file.
fn elements<'a>(source: &'a Source, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    source.code.words(name).filter(|&at| source.code.as_str()[..at].ends_with('<'))
}

/// The rest of a tag, from its name up to the `>` that ends it; brackets and operators are no end.
fn opening_tag(source: &Source, start: usize) -> Range<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (offset, c) in source.code.as_str()[start..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            '>' if depth == 0 && !matches!(before, '-' | '=' | ' ') => return start..start + offset + 1,
            _ => {}
        }
        before = c;
    }
    start..source.code.as_str().len()
}

/// Functions over the wall.
pub fn long_functions(house: &House) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &house.sources {
        for at in source.code.words("fn") {
            let Some(name) = ident(source.code.as_str()[at + 2..].trim_start()) else { continue };
            let Some(open) = source.code.body_of(at) else { continue };
            let body = source.code.bracket(open);
            let wall = if source.code.as_str()[body.clone()].contains("view!") { VIEW_LINES } else { FUNCTION_LINES };
            let lines = source.code.code_lines(body.start + 1..body.end - 1);
            if lines > wall {
                found.push(Finding::new(source, at, format!("`{name}` has {lines} lines of at most {wall}")));
            }
        }
    }
    found
}

/// Files over the wall, their test modules not counted.
pub fn long_files(house: &House) -> Vec<Finding> {
    let is_test = |source: &Source| source.path.ends_with("/tests.rs") || source.path.contains("/tests/");
    let mut found = Vec::new();
    for source in house.sources.iter().filter(|source| !is_test(source)) {
        let tests: usize = test_modules(source).map(|body| source.text[body].lines().count()).sum();
        let lines = source.text.lines().count() - tests;
        if lines > FILE_LINES {
            found.push(Finding::new(source, 0, format!("{lines} lines of at most {FILE_LINES}")));
        }
    }
    found
}

fn test_modules(source: &Source) -> impl Iterator<Item = Range<usize>> {
    source.code.inline_modules().into_iter().filter(|(name, _)| *name == "tests").map(|(_, body)| body)
}

/// Lints that are switched off: `#[expect(…, reason = "…")]` says why, and speaks up when it is no longer needed.
pub fn silenced_lints(house: &House) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &house.sources {
        for at in attributes(source) {
            let attribute = source.code.bracket(at);
            let is_in = |word: &str| conditions(source, word).find(|(at, _)| attribute.contains(at));
            if is_in("allow").is_some() {
                found.push(Finding::new(source, at, "`expect` with a reason, never `allow`"));
            }
            if is_in("expect").is_some_and(|(_, list)| !source.code.words("reason").any(|at| list.contains(&at))) {
                found.push(Finding::new(source, at, "`expect` needs a reason"));
            }
        }
    }
    found
}

/// Where the brackets of the attributes open.
fn attributes(source: &Source) -> impl Iterator<Item = usize> {
    let code = source.code.as_str();
    let opens = |mark: &'static str| code.match_indices(mark).map(move |(at, _)| at + mark.len() - 1);
    opens("#[").chain(opens("#!["))
}
