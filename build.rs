//! Packs what a browser loads into the binary: stylesheet, pictures, and the islands if they were built before.
//! Each file is named after its content, so that it may be cached for ever, and compressed here, once, so that no
//! request has to. What is found is written as a table that `src/web/http/assets.rs` includes and serves.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// The stylesheets, in the order in which a later one may overrule an earlier one.
const STYLES: [&str; 4] = ["tokens", "base", "layout", "components"];
/// What is served from `public/` under its own name, because browsers and crawlers ask for that.
const WELL_KNOWN: [&str; 3] = ["favicon.svg", "favicon.ico", "robots.txt"];
/// Where `wasm-bindgen` puts the islands.
const ISLANDS: &str = "target/site/pkg";
/// Enough of SHA-256 to tell the versions of one file apart.
const HASH_CHARS: usize = 16;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A file to be served.
struct Asset {
    url: String,
    media_type: &'static str,
    content: Vec<u8>,
    /// Where it is read from while one works on it, relative to the crate.
    sources: Vec<String>,
}

fn main() -> Outcome<()> {
    println!("cargo:rerun-if-changed=build.rs");
    // The islands' own build serves nothing.
    if env::var_os("CARGO_FEATURE_SSR").is_none() {
        return Ok(());
    }
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    // A watched path that is missing would make every build start over.
    let _ = fs::create_dir_all(root.join(ISLANDS));
    for folder in ["style", "public", ISLANDS] {
        println!("cargo:rerun-if-changed={folder}");
    }
    let stylesheet = stylesheet(&root)?;
    let stylesheet_url = stylesheet.url.clone();
    let mut assets = well_known(&root)?;
    assets.push(stylesheet);
    let islands = islands(&root)?;
    let islands_url = islands.first().map(|loader| loader.url.clone());
    assets.extend(islands);
    if islands_url.is_none() {
        println!("cargo:warning=the islands are not built ({ISLANDS} is empty): pages will work as plain HTML only");
    }
    write_table(&assets, &stylesheet_url, islands_url.as_deref())
}

fn stylesheet(root: &Path) -> Outcome<Asset> {
    let sources: Vec<String> = STYLES.iter().map(|name| format!("style/{name}.css")).collect();
    let mut text = String::new();
    for source in &sources {
        text.push_str(&without_css_comments(&fs::read_to_string(root.join(source))?));
    }
    let content = trimmed(&text, |line| !line.is_empty()).into_bytes();
    Ok(Asset { url: hashed_url("latchkey", "css", &content), media_type: "text/css; charset=utf-8", content, sources })
}

fn well_known(root: &Path) -> Outcome<Vec<Asset>> {
    let mut assets = Vec::new();
    for name in WELL_KNOWN {
        let source = format!("public/{name}");
        let content = fs::read(root.join(&source))?;
        assets.push(Asset { url: format!("/{name}"), media_type: media_type(name), content, sources: vec![source] });
    }
    Ok(assets)
}

/// The loader, the code that `wasm-bindgen` made, and the WebAssembly; nothing if they were not built.
fn islands(root: &Path) -> Outcome<Vec<Asset>> {
    let folder = root.join(ISLANDS);
    let (Ok(glue), Ok(wasm)) = (fs::read(folder.join("latchkey.js")), fs::read(folder.join("latchkey_bg.wasm"))) else {
        return Ok(Vec::new());
    };
    let (glue_url, wasm_url) = (hashed_url("islands", "js", &glue), hashed_url("islands", "wasm", &wasm));
    let loader = fs::read_to_string(root.join("public/islands.js"))?;
    let loader = trimmed(&loader, |line| !line.is_empty() && !line.starts_with("//"))
        .replace("{{latchkey.js}}", &glue_url)
        .replace("{{latchkey_bg.wasm}}", &wasm_url)
        .into_bytes();
    let script = media_type("x.js");
    let generated = |url, media_type, content| Asset { url, media_type, content, sources: Vec::new() };
    Ok(vec![
        generated(hashed_url("load", "js", &loader), script, loader),
        generated(glue_url, script, glue),
        generated(wasm_url, media_type("x.wasm"), wasm),
    ])
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        _ => "text/plain; charset=utf-8",
    }
}

fn hashed_url(name: &str, extension: &str, content: &[u8]) -> String {
    format!("/assets/{name}-{}.{extension}", hash(content))
}

fn hash(content: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(content) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(HASH_CHARS);
    hex
}

fn without_css_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// The lines that are kept, without indentation.
fn trimmed(text: &str, is_kept: impl Fn(&str) -> bool) -> String {
    text.lines().map(str::trim).filter(|line| is_kept(line)).fold(String::new(), |all, line| all + line + "\n")
}

fn write_table(assets: &[Asset], stylesheet_url: &str, islands_url: Option<&str>) -> Outcome<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut table = format!(
        "const STYLESHEET_URL: &str = {stylesheet_url:?};\nconst ISLANDS_URL: Option<&str> = {islands_url:?};\n\
         static ASSETS: &[Asset] = &[\n"
    );
    for (number, asset) in assets.iter().enumerate() {
        let plain = embed(&out, &format!("{number}"), &asset.content)?;
        let brotli = embed_smaller(&out, &format!("{number}.br"), &brotli(&asset.content)?, asset)?;
        let gzip = embed_smaller(&out, &format!("{number}.gz"), &gzip(&asset.content)?, asset)?;
        let (url, media_type, sources, hash) = (&asset.url, asset.media_type, &asset.sources, hash(&asset.content));
        writeln!(
            table,
            "Asset {{ url: {url:?}, media_type: {media_type:?}, hash: {hash:?}, sources: &{sources:?}, \
             plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)?;
    Ok(())
}

/// Writes a file and answers with the expression that includes it.
fn embed(out: &Path, name: &str, content: &[u8]) -> Outcome<String> {
    let path = out.join(name);
    fs::write(&path, content)?;
    Ok(format!("include_bytes!({:?})", path.display().to_string()))
}

fn embed_smaller(out: &Path, name: &str, packed: &[u8], asset: &Asset) -> Outcome<String> {
    if packed.len() >= asset.content.len() {
        return Ok("None".to_owned());
    }
    Ok(format!("Some({})", embed(out, name, packed)?))
}

fn is_release() -> bool {
    env::var("PROFILE").is_ok_and(|profile| profile == "release")
}

fn brotli(content: &[u8]) -> Outcome<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: if is_release() { 11 } else { 4 },
        lgwin: 22,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut packed, &params)?;
    Ok(packed)
}

fn gzip(content: &[u8]) -> Outcome<Vec<u8>> {
    let level = if is_release() { flate2::Compression::best() } else { flate2::Compression::fast() };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}
