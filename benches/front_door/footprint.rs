//! Start, memory at rest, and what the first visit of `/login` costs on the wire.

use std::time::Duration;

use crate::{
    Extent, Outcome,
    database::Database,
    load::number,
    rest,
    server::Server,
    size,
    table::{Cell, Column},
};

const MAX_START: Duration = Duration::from_millis(300);
const MAX_IDLE_KIB: usize = 40_000_000 / 1024;
const MAX_PAGE_BYTES: usize = 20_000;
const MAX_WASM_BYTES: usize = 130_000;

/// Measures it.
pub async fn measure(database: &Database, extent: Extent, column: &mut Column<'_>) -> Outcome<()> {
    let mut starts = Vec::new();
    for _ in 0..extent.starts {
        starts.push(Server::start(database, None).await?.took);
    }
    starts.sort_unstable();
    let (middle, slowest) = (starts[starts.len() / 2], starts[starts.len() - 1]);
    let text = format!("{} / {} ms", middle.as_millis(), slowest.as_millis());
    column.note("start to ready, median / slowest", "300 ms", Cell::alone(text, slowest <= MAX_START));

    let server = Server::start(database, None).await?;
    rest(Duration::from_secs(3)).await;
    let idle = server.process.memory_kib("VmRSS")?;
    column.note("idle memory", "40 MB", Cell::alone(megabytes(idle), idle <= MAX_IDLE_KIB));

    let size = size::of_first_visit(&server).await?;
    let text = format!("{:.1} kB", number(size.page) / 1e3);
    column.note("first /login without wasm, brotli", "20 kB", Cell::alone(text, size.page <= MAX_PAGE_BYTES));
    let text = format!("{:.1} kB", number(size.wasm) / 1e3);
    let is_good = size.wasm > 0 && size.wasm <= MAX_WASM_BYTES;
    column.note("wasm, brotli", "130 kB", Cell::alone(text, is_good));
    Ok(())
}

/// KiB as people speak of memory.
pub fn megabytes(kib: usize) -> String {
    format!("{:.1} MB", number(kib) * 1024.0 / 1e6)
}
