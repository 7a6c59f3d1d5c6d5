//! The one table: a line for each thing that was measured, with its bare counterpart and its goal, for each database.

use std::fmt::Write as _;

/// What was measured, in order.
#[derive(Default)]
pub struct Table {
    databases: Vec<&'static str>,
    lines: Vec<Line>,
}

struct Line {
    what: String,
    goal: String,
    cells: Vec<(&'static str, Cell)>,
}

/// One measurement on one database.
#[derive(Clone, Default)]
pub struct Cell {
    /// What Latchkey did.
    pub measured: String,
    /// What the bare counterpart did.
    pub bare: String,
    /// The one over the other.
    pub ratio: String,
    /// Whether that is short of the goal.
    pub is_short: bool,
}

impl Cell {
    /// A measurement without a counterpart.
    pub fn alone(measured: String, is_good: bool) -> Self {
        Self { measured, is_short: !is_good, ..Self::default() }
    }

    /// A rate beside that of its counterpart.
    pub fn rates(measured: f64, bare: f64, is_good: bool) -> Self {
        let ratio = format!("{:.2}", measured / bare);
        Self { measured: rate(measured), bare: rate(bare), ratio, is_short: !is_good }
    }
}

fn rate(per_second: f64) -> String {
    if per_second < 1_000.0 { format!("{per_second:.1}/s") } else { format!("{per_second:.0}/s") }
}

/// The measurements on one database.
pub struct Column<'a> {
    table: &'a mut Table,
    database: &'static str,
}

impl Table {
    /// The column of a database.
    pub fn column(&mut self, database: &'static str) -> Column<'_> {
        self.databases.push(database);
        Column { table: self, database }
    }

    /// Writes the table to standard output.
    pub fn print(&self) {
        let mut rows = vec![self.heading()];
        rows.extend(self.lines.iter().map(|line| self.row(line)));
        let widths: Vec<usize> =
            (0..rows[0].len()).map(|nth| rows.iter().map(|row| row[nth].chars().count()).max().unwrap_or(0)).collect();
        for (nth, row) in rows.iter().enumerate() {
            let mut text = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(text, "{cell:width$}  ");
            }
            println!("{}", text.trim_end());
            if nth == 0 {
                println!("{}", "-".repeat(widths.iter().map(|width| width + 2).sum::<usize>() - 2));
            }
        }
        let short = self.lines.iter().flat_map(|line| &line.cells).filter(|(_, cell)| cell.is_short).count();
        println!("\n{short} short of the goal, marked with !");
    }

    fn heading(&self) -> Vec<String> {
        let mut row = vec!["what".to_owned(), "goal".to_owned()];
        for database in &self.databases {
            row.extend([(*database).to_owned(), "bare".to_owned(), "ratio".to_owned()]);
        }
        row
    }

    fn row(&self, line: &Line) -> Vec<String> {
        let mut row = vec![line.what.clone(), line.goal.clone()];
        for database in &self.databases {
            let cell = line
                .cells
                .iter()
                .find(|(found, _)| found == database)
                .map(|(_, cell)| cell.clone())
                .unwrap_or_default();
            let mark = if cell.is_short { " !" } else { "" };
            row.extend([format!("{}{mark}", cell.measured), cell.bare, cell.ratio]);
        }
        row
    }
}

impl Column<'_> {
    /// Notes a measurement.
    pub fn note(&mut self, what: &str, goal: &str, cell: Cell) {
        eprintln!("    {what}: {} {} {}", cell.measured, cell.bare, cell.ratio);
        let lines = &mut self.table.lines;
        let at = lines.iter().position(|line| line.what == what).unwrap_or_else(|| {
            lines.push(Line { what: what.to_owned(), goal: goal.to_owned(), cells: Vec::new() });
            lines.len() - 1
        });
        lines[at].cells.push((self.database, cell));
    }
}
