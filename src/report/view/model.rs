//! The document that every output renders: sections of blocks, without syntax.

use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::audit::Severity;

/// A whole document, ready to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Title of the document.
    pub(crate) title: String,
    /// One sentence on what was measured.
    pub(crate) subtitle: String,
    pub(crate) headline: Headline,
    /// What it says, in reading order; none is empty.
    pub(crate) sections: Vec<Section>,
    /// Who made the report.
    pub(crate) footer: String,
}

impl View {
    /// A document of the sections that have content.
    pub(crate) fn new(
        title: String,
        subtitle: String,
        headline: Headline,
        sections: impl IntoIterator<Item = Section>,
        footer: String,
    ) -> Self {
        let sections = sections.into_iter().filter(|section| !section.blocks.is_empty()).collect();
        Self { title, subtitle, headline, sections, footer }
    }
}

/// The verdict in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// The verdict in two words, with which the sentence begins.
    pub(crate) verdict: &'static str,
    /// One plain sentence.
    pub(crate) sentence: String,
    /// How it is coloured.
    pub(crate) tone: Tone,
    /// What has to be said along with it: further reasons, interruption, what a closed loop measures.
    pub(crate) remarks: Vec<String>,
    /// The few numbers that sum it up.
    pub(crate) numbers: Vec<KeyNumber>,
}

/// One number that sums a run up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeyNumber {
    /// What it is.
    pub(crate) name: String,
    /// The number, with its unit.
    pub(crate) value: String,
    /// What to compare it with.
    pub(crate) against: String,
}

/// A heading with what stands below it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    /// Name within the document, for links.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) blocks: Vec<Block>,
    /// What of it a terminal shows where details are asked for.
    pub(crate) detailed: Shown,
    /// What a terminal's summary shows instead, without the heading; `None` is the same.
    pub(crate) brief: Option<Vec<Block>>,
    /// Whether a terminal shows it behind all others, next to the prompt.
    pub(crate) closes: bool,
}

/// What of a section a terminal shows: the rest is for those who look closer, in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing.
    Nothing,
    /// Paragraphs.
    Paragraphs,
    /// Paragraphs, and the table of this name.
    ParagraphsAnd(&'static str),
    /// The first block, without the section's title.
    First,
    /// All that a terminal can show.
    Everything,
}

impl Shown {
    /// Whether a terminal shows a block, by its place in the section.
    pub(crate) fn includes(self, place: usize, block: &Block) -> bool {
        let is_paragraph = matches!(block, Block::Paragraph(_));
        match self {
            Self::Nothing => false,
            Self::Paragraphs => is_paragraph,
            Self::ParagraphsAnd(id) => is_paragraph || matches!(block, Block::Table(table) if table.id == id),
            Self::First => place == 0,
            // A terminal shows no pictures, and nobody copies from its scrollback what lies in a file.
            Self::Everything => !matches!(block, Block::Charts(_) | Block::Listing(_)),
        }
    }
}

/// One piece of content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Block {
    /// A heading within the section.
    Heading(String),
    Paragraph(String),
    Table(Table),
    /// Remarks with advice.
    Notes(Vec<Note>),
    /// What was found wrong, with what to do about it.
    Advice(Vec<Advice>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    Charts(Vec<Chart>),
    /// Text to be copied.
    Listing(Listing),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// Name within the view, by which a terminal chooses it.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    /// Rows, each with one cell per column.
    pub(crate) rows: Vec<TableRow>,
    /// What columns mean: the first or last words of their headings, several separated by commas, and the explanation.
    pub(crate) glossary: Vec<(String, String)>,
    /// Explanation of marks, and of the table as a whole.
    pub(crate) legend: Vec<String>,
    /// Explanation of rows that belong to others.
    pub(crate) details: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) heading: String,
    /// Unit of its numbers, where they do not carry it themselves.
    pub(crate) unit: Option<&'static str>,
    /// Whether its cells head their rows.
    pub(crate) heads: bool,
    pub(crate) align: Align,
    /// How early it is left out where room is short; 0 is never left out.
    pub(crate) dispensable: u8,
}

/// Alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableRow {
    /// What part it plays.
    pub(crate) kind: RowKind,
    /// One cell per column.
    pub(crate) cells: Vec<Cell>,
}

/// Part that a row plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RowKind {
    /// An entry of its own.
    Entry,
    /// Belongs to the entry above.
    Detail,
    /// Names what the rows below belong to.
    Group,
    /// Sum of entries.
    Sum,
    /// Sum of everything.
    Total,
}

impl RowKind {
    /// Part of the row of an operation, of a service, or of all of them.
    pub(crate) fn of(service: Option<&str>, operation: Option<&str>) -> Self {
        match (service, operation) {
            (_, Some(_)) => Self::Entry,
            (Some(_), None) => Self::Sum,
            (None, None) => Self::Total,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    /// Its text. Of times, which have the unit of their column, each is a [`TIME`] until the table is made.
    pub(crate) text: String,
    /// The times in it, in nanoseconds.
    pub(crate) times: Vec<f64>,
    /// Sign behind it that the legend explains; empty for none.
    pub(crate) mark: &'static str,
    /// How it is coloured.
    pub(crate) tone: Tone,
}

/// Colour, by meaning. It never says anything that the text does not say too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// As it should be.
    Good,
    /// Tolerable, or uncertain.
    Fair,
    /// Bad.
    Bad,
    /// Of less interest.
    Quiet,
}

/// A remark with advice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Note {
    /// How serious it is.
    pub(crate) tone: Tone,
    /// What was found, in one sentence.
    pub(crate) fact: String,
    /// What it means or what to do; empty where that goes without saying.
    pub(crate) advice: String,
}

/// A remark that says exactly what to do, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Advice {
    pub(crate) note: Note,
    /// Severity of the ruling.
    pub(crate) severity: Severity,
    /// Commands and lines to be copied, each for one place.
    pub(crate) commands: Vec<Listing>,
    /// What was read for it, and where the claim comes from.
    pub(crate) source: String,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Stem of its file names, unique within a document.
    pub name: &'static str,
    /// Title; it is also part of the picture.
    pub title: String,
    /// Text alternative, with the numbers that matter.
    pub description: String,
    /// Picture that may also be placed inside a page: as wide as its container, light or dark by the page's
    /// `color-scheme`. Its elements have ids that start with `name`.
    pub svg: String,
    /// Picture 1600 pixels wide, light.
    pub png: Vec<u8>,
}

/// Text to be copied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listing {
    /// What it is.
    pub(crate) title: String,
    /// Its language, for highlighting: `sh`, `toml`.
    pub(crate) language: &'static str,
    pub(crate) text: String,
    /// Whether it is long and of interest to few, so that outputs may fold it away.
    pub(crate) folded: bool,
}

impl Tone {
    /// Severity of a remark of this tone.
    pub(crate) fn severity(self) -> NoteSeverity {
        match self {
            Self::Bad => NoteSeverity::Problem,
            Self::Fair => NoteSeverity::Warning,
            Self::Plain | Self::Good | Self::Quiet => NoteSeverity::Note,
        }
    }
}

/// Severity of a remark.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NoteSeverity {
    /// Something is wrong.
    Problem,
    /// Something may be wrong.
    Warning,
    /// Nothing is wrong.
    Note,
}

/// What stands for a time in the text of a cell.
pub(super) const TIME: char = '\u{fffc}';

impl Block {
    /// Names with their values; those without are left out.
    pub(crate) fn facts(known: impl IntoIterator<Item = (&'static str, Option<String>)>) -> Self {
        Self::Facts(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}

impl KeyNumber {
    /// A number with what to compare it with.
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>, against: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), against: against.into() }
    }
}

impl Note {
    /// A remark with advice.
    pub(crate) fn new(tone: Tone, fact: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { tone, fact: fact.into(), advice: advice.into() }
    }
}

impl Section {
    /// A section of which a terminal shows nothing.
    pub(crate) fn new(id: &'static str, title: &'static str, blocks: impl IntoIterator<Item = Block>) -> Self {
        let blocks = blocks.into_iter().collect();
        Self { id, title, blocks, detailed: Shown::Nothing, brief: None, closes: false }
    }

    /// The same with what of it a terminal shows in detail.
    pub(crate) fn detailed(self, detailed: Shown) -> Self {
        Self { detailed, ..self }
    }

    /// The same with what of it a terminal's summary shows.
    pub(crate) fn brief(self, brief: impl IntoIterator<Item = Block>) -> Self {
        Self { brief: Some(brief.into_iter().collect()), ..self }
    }

    /// The same with one line in a terminal's summary.
    pub(crate) fn brief_line(self, name: &str, line: Option<String>) -> Self {
        self.brief(line.map(|line| Block::Facts(vec![(name.to_owned(), line)])))
    }

    /// The same with a line behind the rest of it in a terminal's summary.
    pub(crate) fn with_line(mut self, name: &str, line: Option<String>) -> Self {
        let line = line.map(|line| Block::Facts(vec![(name.to_owned(), line)]));
        self.brief.get_or_insert_default().extend(line);
        self
    }

    /// The same behind all others on a terminal.
    pub(crate) fn closing(self) -> Self {
        Self { closes: true, ..self }
    }

    /// The same with a table of it in a terminal's summary, without rows that only belong to others.
    pub(crate) fn brief_table(self, id: &str) -> Self {
        let tables = self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) if table.id == id => Some(table.clone()),
            _ => None,
        });
        let brief = tables.map(|mut table| {
            table.rows.retain(|row| row.kind != RowKind::Detail);
            Block::Table(table)
        });
        let brief: Vec<_> = brief.collect();
        self.brief(brief)
    }
}

impl Table {
    /// The same with what columns mean, by the first or last words of their headings.
    pub(crate) fn explained<N: Into<String>, T: Into<String>>(
        mut self,
        glossary: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        self.glossary.extend(glossary.into_iter().map(|(names, meaning)| (names.into(), meaning.into())));
        self
    }

    /// The same with remarks below it.
    pub(crate) fn noted<T: Into<String>>(mut self, remarks: impl IntoIterator<Item = T>) -> Self {
        self.legend.extend(remarks.into_iter().map(Into::into));
        self
    }

    /// The same with what rows that belong to others are.
    pub(crate) fn detailed(self, details: Option<String>) -> Self {
        Self { details, ..self }
    }

    /// The table as a block; nothing where it has no row.
    pub(crate) fn block(self) -> Option<Block> {
        (!self.rows.is_empty()).then_some(Block::Table(self))
    }

    /// Meanings of columns, each with its columns.
    pub(crate) fn meanings(&self) -> impl Iterator<Item = (String, Vec<&Column>)> {
        let means = |names: &str| -> Vec<&Column> {
            let is_about = |heading: &str, name: &str| {
                let rest = heading.strip_prefix(name).or_else(|| heading.strip_suffix(name));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ') || rest.ends_with(' '))
            };
            let shown = |column: &&Column| names.split(", ").any(|name| is_about(&column.heading, name));
            self.columns.iter().filter(shown).collect()
        };
        let meanings = self.glossary.iter().map(move |(names, meaning)| (format!("{names}: {meaning}."), means(names)));
        meanings.filter(|(_, columns)| !columns.is_empty())
    }

    /// What stands below the table where only some of its columns are shown.
    pub(crate) fn legend(&self, is_shown: impl Fn(&Column) -> bool) -> Vec<String> {
        let shown = self.meanings().filter(|(_, columns)| columns.iter().any(|column| is_shown(column)));
        let meanings: Vec<_> = shown.map(|(meaning, _)| meaning).collect();
        let meanings = (!meanings.is_empty()).then(|| meanings.join(" "));
        meanings.into_iter().chain(self.remarks()).collect()
    }

    /// Remarks below the table, whatever columns are shown.
    pub(crate) fn remarks(&self) -> impl Iterator<Item = String> {
        let has_details = self.rows.iter().any(|row| row.kind == RowKind::Detail);
        let details = self.details.iter().filter(move |_| has_details);
        self.legend.iter().chain(details).cloned()
    }
}
