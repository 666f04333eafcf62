//! Columns and cells of tables.

use super::model::{Align, Cell, Column, RowKind, TIME, Table, TableRow, Tone};
use crate::report::format::{NOTHING, TimeUnit, count};

/// A table in the making: the things that it has a row for, and the columns so far.
pub(crate) struct Columns<T> {
    things: Vec<T>,
    table: Table,
}

impl Table {
    /// A table with a row for each of these, to which columns are added one after another.
    pub(crate) fn of<T>(
        id: &'static str,
        caption: impl Into<String>,
        things: impl IntoIterator<Item = T>,
    ) -> Columns<T> {
        let things: Vec<T> = things.into_iter().collect();
        let row = TableRow { kind: RowKind::Entry, cells: Vec::new() };
        let rows = vec![row; things.len()];
        let caption = caption.into();
        let table =
            Self { id, caption, columns: Vec::new(), rows, glossary: Vec::new(), legend: Vec::new(), details: None };
        Columns { things, table }
    }
}

impl<T> Columns<T> {
    /// The part that each row plays, where not all are entries.
    pub(crate) fn kinds(mut self, kind: impl FnMut(&T) -> RowKind) -> Self {
        for (row, kind) in self.table.rows.iter_mut().zip(self.things.iter().map(kind)) {
            row.kind = kind;
        }
        self
    }

    /// A column of words that head their rows; it is never left out.
    pub(crate) fn head<C: Into<Cell>>(self, heading: &str, cell: impl FnMut(&T) -> C) -> Self {
        self.column(Column { heads: true, ..Column::new(heading, None, Align::Left, 0) }, cell)
    }

    /// A column of words.
    pub(crate) fn words<C: Into<Cell>>(self, heading: &str, dispensable: u8, cell: impl FnMut(&T) -> C) -> Self {
        self.column(Column::new(heading, None, Align::Left, dispensable), cell)
    }

    /// A column of numbers that carry their units.
    pub(crate) fn numbers<C: Into<Cell>>(self, heading: &str, dispensable: u8, cell: impl FnMut(&T) -> C) -> Self {
        self.column(Column::new(heading, None, Align::Right, dispensable), cell)
    }

    /// A column of numbers per second.
    pub(crate) fn rates<C: Into<Cell>>(self, heading: &str, dispensable: u8, cell: impl FnMut(&T) -> C) -> Self {
        self.column(Column::new(heading, Some("1/s"), Align::Right, dispensable), cell)
    }

    /// A column of times, whose unit is that which suits all of them.
    pub(crate) fn times<C: Into<Cell>>(self, heading: &str, dispensable: u8, cell: impl FnMut(&T) -> C) -> Self {
        self.column(Column::new(heading, Some(TimeUnit::Millis.name()), Align::Right, dispensable), cell)
    }

    pub(crate) fn column<C: Into<Cell>>(mut self, mut column: Column, mut cell: impl FnMut(&T) -> C) -> Self {
        let mut cells: Vec<Cell> = self.things.iter().map(|thing| cell(thing).into()).collect();
        let times: Vec<f64> = cells.iter().flat_map(|cell| cell.times.iter().copied()).collect();
        if !times.is_empty() {
            let unit = TimeUnit::of(&times);
            column.unit = Some(unit.name());
            for cell in &mut cells {
                for nanos in &cell.times {
                    cell.text = cell.text.replacen(TIME, &unit.write(*nanos), 1);
                }
            }
        }
        self.table.columns.push(column);
        for (row, cell) in self.table.rows.iter_mut().zip(cells) {
            row.cells.push(cell);
        }
        self
    }

    /// Further columns, which are added only where they say something.
    pub(crate) fn also_if(self, wanted: bool, columns: impl FnOnce(Self) -> Self) -> Self {
        if wanted { columns(self) } else { self }
    }

    /// The table with all of its columns.
    pub(crate) fn table(self) -> Table {
        self.table
    }
}

impl Column {
    /// A column with a unit of its own.
    pub(crate) fn new(heading: &str, unit: Option<&'static str>, align: Align, dispensable: u8) -> Self {
        Self { heading: heading.to_owned(), unit, heads: false, align, dispensable }
    }

    /// Heading and unit.
    pub(crate) fn label(&self) -> String {
        match self.unit {
            Some(unit) => format!("{} ({unit})", self.heading),
            None => self.heading.clone(),
        }
    }
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), times: Vec::new(), mark: "", tone }
    }

    /// A time in nanoseconds, or nothing.
    pub(crate) fn time(nanos: impl Into<Option<f64>>) -> Self {
        nanos.into().map(|nanos| Self::times("{}", [nanos])).into()
    }

    /// Several times in nanoseconds; the pattern has `{}` for each.
    pub(crate) fn times(pattern: &str, times: impl Into<Vec<f64>>) -> Self {
        Self { times: times.into(), ..pattern.replace("{}", &TIME.to_string()).into() }
    }

    /// The same in another colour.
    pub(crate) fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// The same with a mark.
    pub(crate) fn marked(self, mark: &'static str) -> Self {
        Self { mark, ..self }
    }

    /// Text and mark.
    pub(crate) fn whole(&self) -> String {
        format!("{}{}", self.text, self.mark)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A number of things.
impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        count(number).into()
    }
}

/// A number of things.
impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        u64::from(number).into()
    }
}

/// A dash where nothing is known.
impl<C: Into<Self>> From<Option<C>> for Cell {
    fn from(known: Option<C>) -> Self {
        known.map_or_else(|| NOTHING.into(), Into::into)
    }
}
