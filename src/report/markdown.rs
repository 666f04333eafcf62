//! The report as Markdown, for wikis, pull requests and chat.

use super::{
    format::plain,
    view::{Advice, Align, Block, Chart, Column, Listing, Note, RowKind, Table, TableRow, Tone, View},
};
use crate::results::slug;

/// Renders a view. Charts are linked by their file in `charts/`.
pub(super) fn render(view: &View) -> String {
    let mut pieces = vec![
        format!("# {}", escaped(&view.title)),
        escaped(&view.subtitle),
        format!("**{}**", escaped(&view.headline.sentence)),
    ];
    pieces.extend(view.headline.remarks.iter().map(|remark| escaped(remark)));
    for section in &view.sections {
        pieces.push(format!("## {}", escaped(section.title)));
        pieces.extend(section.blocks.iter().map(block));
    }
    pieces.push("---".to_owned());
    pieces.push(escaped(&view.footer));
    plain(&pieces.join("\n\n")) + "\n"
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("### {}", escaped(text)),
        Block::Paragraph(text) => escaped(text),
        Block::Table(contents) => table(contents),
        Block::Notes(notes) => lines(notes.iter().map(note)),
        Block::Advice(advice) => lines(advice.iter().map(advised)),
        Block::Facts(facts) => {
            lines(facts.iter().map(|(name, value)| format!("- **{}**: {}", escaped(name), escaped(value))))
        }
        Block::Charts(figures) => figures.iter().map(figure).collect::<Vec<_>>().join("\n\n"),
        Block::Listing(contents) => listing(contents),
    }
}

fn figure(figure: &Chart) -> String {
    // The picture shows its title itself.
    format!("![{}](charts/{}.svg)", escaped(&format!("{}. {}", figure.title, figure.description)), figure.name)
}

fn note(note: &Note) -> String {
    let advice = if note.advice.is_empty() { String::new() } else { format!(" {}", escaped(&note.advice)) };
    format!("- **{}**{advice}", escaped(&note.fact))
}

fn advised(advice: &Advice) -> String {
    // Indented, so that it all belongs to the item.
    let inner = |text: String| text.lines().map(|line| format!("  {line}").trim_end().to_owned()).collect::<Vec<_>>();
    let mut pieces = vec![format!(
        "- **{}: {}** {}",
        slug(&advice.severity),
        escaped(&advice.note.fact),
        escaped(&advice.note.advice)
    )];
    for commands in &advice.commands {
        pieces.push(String::new());
        pieces.extend(inner(listing(commands)));
    }
    pieces.extend([String::new(), format!("  *{}*", escaped(&advice.source))]);
    lines(pieces)
}

fn table(table: &Table) -> String {
    let mut pieces = vec![
        format!("**{}**\n", escaped(&table.caption)),
        row(table.columns.iter().map(|column| cell(&column.label()))),
        row(table.columns.iter().map(rule)),
    ];
    pieces.extend(table.rows.iter().map(|line| row(cells(line))));
    pieces.extend(table.legend(|_| true).iter().map(|line| format!("\n{}", escaped(line))));
    lines(pieces)
}

fn rule(column: &Column) -> String {
    match column.align {
        Align::Left => ":---".to_owned(),
        Align::Right => "---:".to_owned(),
    }
}

fn cells(row: &TableRow) -> impl Iterator<Item = String> {
    row.cells.iter().map(|contents| {
        let text = cell(&contents.whole());
        let emphasis = match (row.kind, contents.tone) {
            _ if text.is_empty() => "",
            (_, Tone::Bad) | (RowKind::Group | RowKind::Sum | RowKind::Total, _) => "**",
            (RowKind::Entry | RowKind::Detail, _) => "",
        };
        format!("{emphasis}{text}{emphasis}")
    })
}

fn row(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

fn cell(text: &str) -> String {
    escaped(text).replace('|', r"\|")
}

fn listing(listing: &Listing) -> String {
    // The fence is longer than any run of backticks in the text.
    let longest = listing.text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let code = format!("{fence}{}\n{}\n{fence}", listing.language, listing.text);
    let title = escaped(&listing.title);
    if listing.folded {
        format!("<details>\n<summary>{title}</summary>\n\n{code}\n\n</details>")
    } else {
        format!("{title}:\n\n{code}")
    }
}

fn lines(pieces: impl IntoIterator<Item = String>) -> String {
    pieces.into_iter().collect::<Vec<_>>().join("\n")
}

/// Text that Markdown shows as it is: what it would read as syntax is escaped, line breaks become spaces.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut before = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let within_word = before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\r' | '\n' => escaped.push(' '),
            '\\' | '`' | '*' | '~' => escaped.extend(['\\', letter]),
            '_' if !within_word => escaped.extend(['\\', letter]),
            // Only these make a link of what stands in brackets.
            ']' if matches!(next, Some('(' | '[' | ':')) => escaped.extend(['\\', letter]),
            '#' | '+' | '-' | '=' if before.is_none() => escaped.extend(['\\', letter]),
            letter => escaped.push(letter),
        }
        before = Some(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_markdown_would_read_as_syntax() {
        assert_eq!(escaped("a*b`c`<script>\n[x](y)"), r"a\*b\`c\`&lt;script&gt; [x\](y)");
        assert_eq!(escaped("command_timeout of _this_ [1, 2]"), r"command_timeout of \_this\_ [1, 2]");
        assert_eq!(escaped("# no heading"), r"\# no heading");
        assert_eq!(cell("a|b"), r"a\|b");
    }

    #[test]
    fn fences_are_longer_than_their_content_has_backticks() {
        let text = "a ```` b".to_owned();
        let code = listing(&Listing { title: "Code".to_owned(), language: "toml", text, folded: false });
        assert!(code.ends_with("\n`````"), "{code}");
    }
}
