//! How many bytes travel when a browser opens `/login` for the first time: the page, what it names, and what its loader
//! names. Headers count.

use crate::{
    Outcome,
    client::{Client, get},
    server::Server,
};

/// What travels.
pub struct Size {
    /// Page, stylesheet, scripts and favicon.
    pub page: usize,
    /// The body of the WebAssembly; 0 if the binary was built without.
    pub wasm: usize,
}

/// Opens `/login` as a browser does.
pub async fn of_first_visit(server: &Server) -> Outcome<Size> {
    let mut client = Client::connect(server.address).await?;
    let mut size = Size { page: 0, wasm: 0 };
    let page = fetch(&mut client, "/login").await?;
    size.page += page.1;
    let mut waiting = named_in(&page.0);
    let mut seen = Vec::new();
    while let Some(path) = waiting.pop() {
        if seen.contains(&path) {
            continue;
        }
        let (text, bytes) = fetch(&mut client, &path).await?;
        let kind = path.rsplit_once('.').map_or("", |(_, kind)| kind);
        if kind == "wasm" {
            size.wasm = packed_len(&mut client, &path).await?;
        } else {
            size.page += bytes;
        }
        if kind == "js" {
            waiting.extend(named_in(&text));
        }
        seen.push(path);
    }
    Ok(size)
}

/// The content as it is read, and how many bytes it took packed.
async fn fetch(client: &mut Client, path: &str) -> Outcome<(String, usize)> {
    let packed = client.ask(&get(path, "accept-encoding: br, gzip\r\n")).await?;
    if packed.status != 200 {
        return Err(format!("{path} was answered {}", packed.status).into());
    }
    let plain = client.ask(&get(path, "")).await?;
    Ok((String::from_utf8_lossy(&plain.body).into_owned(), packed.wire_bytes))
}

async fn packed_len(client: &mut Client, path: &str) -> Outcome<usize> {
    Ok(client.ask(&get(path, "accept-encoding: br, gzip\r\n")).await?.body.len())
}

/// Every path in quotes that leads to a file.
fn named_in(text: &str) -> Vec<String> {
    let quoted =
        text.split(['"', '\'', '`']).filter(|part| part.starts_with('/') && !part.contains(char::is_whitespace));
    quoted
        .filter(|part| [".css", ".js", ".svg", ".wasm"].iter().any(|end| part.ends_with(end)))
        .map(str::to_owned)
        .collect()
}
