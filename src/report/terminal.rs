//! The report for the terminal: the verdict first, then the table, trust and findings.

use console::{Style as Paint, measure_text_width};

use super::{
    format::plain,
    view::{Align, Block, Note, RowKind, Section, Table, TableRow, Tone, View},
};

/// How the terminal report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used. They never say anything that the text does not say too.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
}

/// Narrowest width that is taken seriously.
const LEAST_WIDTH: usize = 40;

/// Widest running text: longer lines are hard to read.
const TEXT_WIDTH: usize = 110;

const GAP: &str = "  ";

/// Renders the parts of a view that belong on a terminal.
pub(super) fn render(view: &View, style: Style) -> String {
    let page = Page { colour: style.colour, width: style.width.max(LEAST_WIDTH) };
    let mut text = String::new();
    page.wrapped(&mut text, "", &view.headline.sentence, page.tone(view.headline.tone).bold());
    for remark in &view.headline.remarks {
        page.wrapped(&mut text, "", remark, page.plain());
    }
    text.push('\n');
    page.wrapped(&mut text, "", &view.subtitle, page.quiet());
    text.push('\n');
    for block in view.results.blocks.iter().take(1) {
        page.block(&mut text, block);
    }
    page.section(&mut text, &view.trust, |block| matches!(block, Block::Paragraph(_)));
    page.section(&mut text, &view.findings, |_| true);
    text
}

struct Page {
    colour: bool,
    width: usize,
}

impl Page {
    fn section(&self, text: &mut String, section: &Section, shown: fn(&Block) -> bool) {
        text.push('\n');
        self.line(text, section.title, &self.plain().bold());
        for block in section.blocks.iter().filter(|block| shown(block)) {
            self.block(text, block);
        }
    }

    fn block(&self, text: &mut String, block: &Block) {
        match block {
            Block::Paragraph(paragraph) => self.wrapped(text, GAP, paragraph, self.plain()),
            Block::Notes(notes) => notes.iter().for_each(|note| self.note(text, note)),
            Block::Table(table) => self.table(text, table),
            Block::Facts(facts) => {
                for (name, value) in facts {
                    self.wrapped(text, GAP, &format!("{name}: {value}"), self.plain());
                }
            }
            // A terminal shows no pictures, and nobody copies from its scrollback what lies in a file.
            Block::Figure(_) | Block::Listing(_) => {}
        }
    }

    fn note(&self, text: &mut String, note: &Note) {
        let mark = match note.tone {
            Tone::Bad => "✗ ",
            Tone::Fair => "! ",
            Tone::Plain | Tone::Good | Tone::Quiet => "· ",
        };
        self.hanging(text, &format!("{GAP}{mark}"), &note.fact, self.tone(note.tone));
        if !note.advice.is_empty() {
            self.wrapped(text, "    ", &note.advice, self.plain());
        }
    }

    fn table(&self, text: &mut String, table: &Table) {
        let shown = self.fitting(table);
        let widths: Vec<_> = shown.iter().map(|column| width_of(table, *column)).collect();
        let line = |cells: Vec<(String, Paint)>| {
            let mut line = String::new();
            for (place, ((cell, paint), column)) in cells.into_iter().zip(&shown).enumerate() {
                let padding = " ".repeat(widths[place].saturating_sub(measure_text_width(&cell)));
                let cell = paint.apply_to(cell).to_string();
                let gap = if place == 0 { "" } else { GAP };
                line.push_str(gap);
                line.push_str(&match table.columns[*column].align {
                    Align::Left => cell + &padding,
                    Align::Right => padding + &cell,
                });
            }
            line.trim_end().to_owned() + "\n"
        };
        let headings = shown.iter().map(|column| (heading(table, *column), self.quiet())).collect();
        text.push_str(&line(headings));
        for row in &table.rows {
            let cells = shown.iter().map(|column| (plain(&row.cells[*column].text), self.cell(row, *column))).collect();
            text.push_str(&line(cells));
        }
        for legend in &table.legend {
            self.wrapped(text, "", legend, self.quiet());
        }
    }

    /// The columns for which there is room; the most dispensable ones go first, from the right.
    fn fitting(&self, table: &Table) -> Vec<usize> {
        let mut shown: Vec<_> = (0..table.columns.len()).collect();
        let width = |shown: &[usize]| -> usize {
            shown.iter().map(|column| width_of(table, *column) + GAP.len()).sum::<usize>().saturating_sub(GAP.len())
        };
        while width(&shown) > self.width {
            let worst = shown.iter().copied().max_by_key(|column| (table.columns[*column].dispensable, *column));
            match worst {
                Some(worst) if table.columns[worst].dispensable > 0 => shown.retain(|column| *column != worst),
                _ => break,
            }
        }
        shown
    }

    fn cell(&self, row: &TableRow, column: usize) -> Paint {
        let paint = self.tone(row.cells[column].tone);
        match row.kind {
            RowKind::Sum | RowKind::Total => paint.bold(),
            RowKind::Detail => self.quiet(),
            RowKind::Entry => paint,
        }
    }

    fn plain(&self) -> Paint {
        Paint::new().force_styling(self.colour)
    }

    fn quiet(&self) -> Paint {
        self.plain().dim()
    }

    fn tone(&self, tone: Tone) -> Paint {
        match tone {
            Tone::Plain => self.plain(),
            Tone::Good => self.plain().green(),
            Tone::Fair => self.plain().yellow(),
            Tone::Bad => self.plain().red(),
            Tone::Quiet => self.quiet(),
        }
    }

    fn line(&self, text: &mut String, line: &str, paint: &Paint) {
        text.push_str(&paint.apply_to(line).to_string());
        text.push('\n');
    }

    fn wrapped(&self, text: &mut String, indent: &str, paragraph: &str, paint: Paint) {
        self.filled(text, indent, indent, paragraph, &paint);
    }

    /// A paragraph whose first line starts with a mark below which the others are indented.
    fn hanging(&self, text: &mut String, first: &str, paragraph: &str, paint: Paint) {
        self.filled(text, first, &" ".repeat(measure_text_width(first)), paragraph, &paint);
    }

    fn filled(&self, text: &mut String, first: &str, rest: &str, paragraph: &str, paint: &Paint) {
        let width = self.width.min(TEXT_WIDTH);
        let mut line = String::new();
        let mut indent = first;
        // Narrow no-break spaces hold a number together; they become ordinary ones when the line is written.
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let taken = measure_text_width(indent) + measure_text_width(&line) + 1 + measure_text_width(word);
            if !line.is_empty() && taken > width {
                self.line(text, &format!("{indent}{}", plain(&line)), paint);
                line.clear();
                indent = rest;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(text, &format!("{indent}{}", plain(&line)), paint);
    }
}

fn heading(table: &Table, column: usize) -> String {
    let column = &table.columns[column];
    match column.unit {
        Some(unit) => format!("{} {unit}", column.heading),
        None => column.heading.clone(),
    }
}

fn width_of(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().map(|row| measure_text_width(&row.cells[column].text));
    cells.chain([measure_text_width(&heading(table, column))]).max().unwrap_or(0)
}
