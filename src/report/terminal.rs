//! The report for the terminal: the verdict first, then the table, trust and findings.

use console::{Style as Paint, measure_text_width};

use super::{
    format::plain,
    view::{AT_SERVER, Advice, Align, Block, Cell, Column, Note, RowKind, Section, Shown, Table, TableRow, Tone, View},
};
use crate::results::slug;

/// How the terminal report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used. They never say anything that the text does not say too.
    pub colour: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether more than the summary is shown.
    pub verbose: bool,
}

/// Narrowest width that is taken seriously.
const LEAST_WIDTH: usize = 40;

/// Widest running text: longer lines are hard to read.
const TEXT_WIDTH: usize = 110;

const GAP: &str = "  ";

/// Lines of a screen of 50, less those of the path to the report and the prompt.
pub(super) const SCREEN: usize = 47;

/// Steps by which a summary is shortened until it fits a screen: it loses the meaning of columns, then the advice of the first finding,
/// then findings from the last to the second. All of it is in the report.
const NO_LEGENDS: usize = 1;
const NO_ADVICE: usize = 2;
const ONE_FINDING: usize = 5;

/// Renders the parts of a view that belong on a terminal.
pub(super) fn render(view: &View, style: Style) -> String {
    let fits = |text: &String| style.verbose || text.lines().count() <= SCREEN;
    (0..ONE_FINDING).map(|step| page(view, style, step)).find(fits).unwrap_or_else(|| page(view, style, ONE_FINDING))
}

fn page(view: &View, style: Style, shortened: usize) -> String {
    let mut page = Page { shortened, ..Page::new(style) };
    let verdict = page.tone(view.headline.tone).bold();
    page.paragraph("", &view.headline.sentence, &verdict);
    for remark in &view.headline.remarks {
        page.paragraph("", remark, &page.plain());
    }
    page.gap();
    page.paragraph("", &view.subtitle, &page.quiet());
    let (last, first): (Vec<_>, Vec<_>) = view.sections.iter().partition(|section| section.closes);
    let mut before = None;
    for section in first.into_iter().chain(last) {
        match &section.brief {
            Some(brief) if !style.verbose => {
                for block in brief {
                    page.brief(before, block);
                    before = Some(block);
                }
            }
            _ => {
                page.section(section);
                before = None;
            }
        }
    }
    page.text
}

/// Renders one table, with its caption.
pub(super) fn table(table: &Table, style: Style) -> String {
    let mut page = Page::new(style);
    page.line(&table.caption, &page.plain().bold());
    page.table(table);
    page.text
}

struct Page {
    colour: bool,
    width: usize,
    /// Number of steps by which the summary is shortened.
    shortened: usize,
    text: String,
}

impl Page {
    fn new(style: Style) -> Self {
        Self { colour: style.colour, width: style.width.max(LEAST_WIDTH), shortened: 0, text: String::new() }
    }

    /// A block of a summary. What is said in a line stays together.
    fn brief(&mut self, before: Option<&Block>, block: &Block) {
        if !matches!((before, block), (Some(Block::Facts(_)), Block::Facts(_))) {
            self.gap();
        }
        self.block(block);
    }

    fn section(&mut self, section: &Section) {
        let shown = section.blocks.iter().enumerate().filter(|(place, block)| section.detailed.includes(*place, block));
        let shown: Vec<_> = shown.map(|(_, block)| block).collect();
        if shown.is_empty() {
            return;
        }
        self.gap();
        if section.detailed != Shown::First {
            self.line(section.title, &self.plain().bold());
        }
        for block in shown {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph(paragraph) => self.paragraph(GAP, paragraph, &self.plain()),
            Block::Notes(notes) => self.notes(notes),
            Block::Advice(advice) => {
                for advised in advice {
                    self.advised(advised);
                }
            }
            Block::Table(table) => self.table(table),
            Block::Facts(facts) => {
                for (name, value) in facts {
                    self.paragraph(GAP, &format!("{name}: {value}"), &self.plain());
                }
            }
            Block::Heading(heading) => self.line(&format!("{GAP}{heading}"), &self.plain().bold()),
            Block::Charts(_) | Block::Listing(_) => {}
        }
    }

    fn notes(&mut self, notes: &[Note]) {
        let most = if self.shortened > NO_ADVICE { 1 + ONE_FINDING - self.shortened } else { notes.len() };
        let shown = &notes[..most.min(notes.len())];
        for note in shown {
            let advice = if self.shortened >= NO_ADVICE { String::new() } else { note.advice.clone() };
            self.note(&Note { advice, ..note.clone() });
        }
        if shown.len() < notes.len() {
            self.note(&Note::new(Tone::Quiet, "Further findings: see the report, or --verbose.", ""));
        }
    }

    fn note(&mut self, note: &Note) {
        let mark = match note.tone {
            Tone::Bad => "✗ ",
            Tone::Fair => "! ",
            Tone::Plain | Tone::Good | Tone::Quiet => "· ",
        };
        let first = format!("{GAP}{mark}");
        let rest = " ".repeat(measure_text_width(&first));
        self.filled(&first, &rest, &note.fact, &self.tone(note.tone));
        if !note.advice.is_empty() {
            self.paragraph(&rest, &note.advice, &self.plain());
        }
    }

    /// The remark, and what to type; where it comes from is in a file.
    fn advised(&mut self, advice: &Advice) {
        let Advice { note, severity, commands, .. } = advice;
        let fact = format!("{}: {}", slug(severity), note.fact);
        self.note(&Note { fact, ..note.clone() });
        let indent = " ".repeat(2 * GAP.len() + 2);
        for listing in commands {
            // What is typed at the server needs no introduction; only another place does.
            if listing.title != AT_SERVER {
                self.line(&format!("{}{}:", &indent[GAP.len()..], listing.title), &self.plain());
            }
            for command in listing.text.lines() {
                // Never broken: it is there to be copied.
                self.line(&format!("{indent}{command}"), &self.quiet());
            }
        }
    }

    fn table(&mut self, table: &Table) {
        let fitting = self.fitting(table);
        if fitting.len() < table.columns.len() && has_groups(table) {
            let grouped = grouped(table);
            let fitting = self.fitting(&grouped);
            self.columns(&grouped, &fitting);
        } else {
            self.columns(table, &fitting);
        }
    }

    fn columns(&mut self, table: &Table, shown: &[usize]) {
        let headings = shown.iter().map(|column| (heading(&table.columns[*column]), self.quiet())).collect();
        self.row(table, shown, headings);
        for (place, row) in table.rows.iter().enumerate() {
            if place > 0 && table.rows[place - 1].kind == RowKind::Sum {
                self.gap();
            }
            let cells = shown.iter().map(|column| (padded(table, row, *column), self.cell(row, *column))).collect();
            self.row(table, shown, cells);
        }
        let is_shown =
            |column: &Column| shown.iter().any(|place| std::ptr::eq(&raw const table.columns[*place], column));
        for legend in table.legend(|column| self.shortened < NO_LEGENDS && is_shown(column)) {
            self.paragraph("", &legend, &self.quiet());
        }
    }

    fn row(&mut self, table: &Table, shown: &[usize], cells: Vec<(String, Paint)>) {
        let mut line = String::new();
        for ((text, paint), column) in cells.into_iter().zip(shown) {
            let padding = " ".repeat(width_of(table, *column).saturating_sub(measure_text_width(&text)));
            let painted = paint.apply_to(printable(&text)).to_string();
            if !line.is_empty() {
                line.push_str(GAP);
            }
            line.push_str(&match table.columns[*column].align {
                Align::Left => painted + &padding,
                Align::Right => padding + &painted,
            });
        }
        self.text.push_str(line.trim_end());
        self.text.push('\n');
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
            RowKind::Group | RowKind::Sum | RowKind::Total => paint.bold(),
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

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn line(&mut self, line: &str, paint: &Paint) {
        self.text.push_str(&paint.apply_to(printable(line)).to_string());
        self.text.push('\n');
    }

    fn paragraph(&mut self, indent: &str, paragraph: &str, paint: &Paint) {
        self.filled(indent, indent, paragraph, paint);
    }

    /// A paragraph broken into lines: one indent for the first, one for the rest. Narrow no-break spaces hold a number
    /// together until the line is written.
    fn filled(&mut self, first: &str, rest: &str, paragraph: &str, paint: &Paint) {
        let width = self.width.min(TEXT_WIDTH);
        let mut line = first.to_owned();
        let mut empty = true;
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if !empty && measure_text_width(&line) + 1 + measure_text_width(word) > width {
                self.line(&line, paint);
                rest.clone_into(&mut line);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.line(&line, paint);
    }
}

/// Whether the first column only names what the rows below each other belong to.
fn has_groups(table: &Table) -> bool {
    table.columns.iter().filter(|column| column.heads).count() > 1
        && table.rows.iter().any(|row| row.kind == RowKind::Sum)
}

/// The same table with the first column as heads of groups, which takes less width: the sum of what stands below, or the
/// name alone.
fn grouped(table: &Table) -> Table {
    let mut narrow = Table { rows: Vec::new(), ..table.clone() };
    narrow.columns.remove(0);
    for rows in table.rows.chunk_by(|one, next| one.cells[0].text == next.cells[0].text) {
        let named = |row: &TableRow, kind| {
            let mut cells = row.cells.clone();
            let name = cells.remove(0);
            cells[0] = name;
            TableRow { kind, cells }
        };
        match rows.iter().find(|row| row.kind == RowKind::Sum) {
            Some(sum) => narrow.rows.push(named(sum, RowKind::Group)),
            None if rows[0].kind == RowKind::Total => narrow.rows.push(named(&rows[0], RowKind::Total)),
            None => {
                let name = named(&rows[0], RowKind::Group).cells.swap_remove(0);
                let blank = std::iter::repeat_n(Cell::from(""), narrow.columns.len() - 1);
                let cells = std::iter::once(name).chain(blank).collect();
                narrow.rows.push(TableRow { kind: RowKind::Group, cells });
            }
        }
        for row in rows.iter().filter(|row| !matches!(row.kind, RowKind::Sum | RowKind::Total)) {
            let mut cells = row.cells[1..].to_vec();
            cells[0].text.insert_str(0, GAP);
            narrow.rows.push(TableRow { kind: row.kind, cells });
        }
    }
    narrow
}

/// What may be written to a terminal: messages of a server must not steer it.
fn printable(text: &str) -> String {
    plain(text).chars().map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

fn heading(column: &Column) -> String {
    match column.unit {
        Some(unit) => format!("{} {unit}", column.heading),
        None => column.heading.clone(),
    }
}

/// The text of a cell; where others of its column carry a mark, one without leaves room for it.
fn padded(table: &Table, row: &TableRow, column: usize) -> String {
    let room = table.rows.iter().map(|row| measure_text_width(row.cells[column].mark)).max().unwrap_or(0);
    let cell = &row.cells[column];
    cell.whole() + &" ".repeat(room - measure_text_width(cell.mark))
}

fn width_of(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().map(|row| measure_text_width(&padded(table, row, column)));
    cells.chain([measure_text_width(&heading(&table.columns[column]))]).max().unwrap_or(0)
}
