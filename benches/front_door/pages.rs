//! Pages: `/login` with every layer that is around it, beside a bare handler that answers with the same bytes.

use std::{env, fs};

use crate::{
    Extent, Outcome,
    client::{Client, get},
    database::Database,
    footprint::megabytes,
    load::{self, Requests},
    server::{self, Server},
    sessions::CONNECTIONS,
    table::{Cell, Column},
};

const MIN_PAGES: f64 = 12_000.0;

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let server = Server::start(database, None).await?;
    let page = Client::connect(server.address).await?.ask(&get("/login", "")).await?;
    let requests = Requests { each: vec![get("/login", "")], is_right: |answer| answer.status == 200 };
    let made = load::run(server.address, CONNECTIONS, extent.load, requests).await?.per_second()?;
    let loaded = server.process.memory_kib("VmRSS")?;
    drop(server);

    let file = env::temp_dir().join(format!("latchkey-bench-page-{}", std::process::id()));
    fs::write(&file, &page.body)?;
    let (process, address) = server::bare(&["bare-page", &file.to_string_lossy()], None)?;
    let requests = Requests { each: vec![get("/", "")], is_right: |answer| answer.status == 200 };
    let bare = load::run(address.parse()?, CONNECTIONS, extent.load / 2, requests).await?.per_second()?;
    drop(process);
    fs::remove_file(&file)?;
    column.note("/login pages, 32 connections", "12,000/s", Cell::rates(made, bare, made >= MIN_PAGES));
    column.note("loaded memory, after the pages", "", Cell::alone(megabytes(loaded), true));
    Ok(())
}
