//! The report as one HTML file that needs nothing else: no script, no font, no picture from anywhere, and a content
//! security policy that holds it to that. `maud` escapes every text, which is why it is used.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::view::{Advice, Align, Block, Chart, Column, KeyNumber, Listing, Note, Section, Table, TableRow, View};
use crate::results::slug;

#[cfg(test)]
mod tests;

const STYLE: &str = include_str!("style.css");

/// What the document may load: nothing, except the styles that it carries itself.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// Renders a view.
pub(super) fn render(view: &View) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="description" content=(view.headline.sentence);
                link rel="icon" href="data:,";
                title { (view.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the verdict" }
                header.page {
                    (mark())
                    div {
                        h1 { (view.title) }
                        p.subtitle { (view.subtitle) }
                    }
                }
                main #main {
                    (verdict(view))
                    nav aria-label="Sections" {
                        ul { @for section in &view.sections { li { a href={ "#" (section.id) } { (section.title) } } } }
                    }
                    @for contents in &view.sections { (section(contents)) }
                }
                footer { p { "Made by " (view.footer) "." } }
            }
        }
    };
    page.into_string()
}

/// The mark on a ship's hull after which the program is named.
fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" {
            circle cx="24" cy="24" r="14" fill="none" stroke="currentColor" stroke-width="4" {}
            path d="M2 24H46" stroke="currentColor" stroke-width="4" {}
        }
    }
}

fn verdict(view: &View) -> Markup {
    let headline = &view.headline;
    let rest = headline.sentence.strip_prefix(headline.verdict).unwrap_or(&headline.sentence);
    html! {
        section #verdict class={ "verdict " (slug(&headline.tone)) } aria-label="Verdict" {
            p.sentence { strong { (headline.verdict) } (rest) }
            @for remark in &headline.remarks { p { (remark) } }
            dl.numbers { @for entry in &headline.numbers { (number(entry)) } }
        }
    }
}

fn number(number: &KeyNumber) -> Markup {
    html! {
        div {
            dt { (number.name) }
            dd { span.value { (number.value) } " " span.against { (number.against) } }
        }
    }
}

fn section(section: &Section) -> Markup {
    let heading = format!("{}-heading", section.id);
    html! {
        section id=(section.id) aria-labelledby=(heading) {
            h2 id=(heading) { (section.title) }
            @for (place, contents) in section.blocks.iter().enumerate() { (block(contents, &format!("{}-{place}", section.id))) }
        }
    }
}

/// One piece; `id` is its name within the page.
fn block(block: &Block, id: &str) -> Markup {
    match block {
        Block::Heading(text) => html! { h3 { (text) } },
        Block::Paragraph(text) => html! { p { (text) } },
        Block::Table(contents) => table(contents, id),
        Block::Notes(notes) => html! { ul.notes { @for contents in notes { (note(contents)) } } },
        Block::Advice(advice) => html! { ul.notes { @for contents in advice { (advised(contents)) } } },
        Block::Facts(facts) => html! {
            dl.facts { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
        },
        Block::Charts(figures) => html! { div.figures { @for contents in figures { (figure(contents)) } } },
        Block::Listing(contents) => listing(contents),
    }
}

fn note(note: &Note) -> Markup {
    html! {
        li class=(slug(&note.tone)) {
            p.fact { span.pill { (slug(&note.tone.severity())) } " " (note.fact) }
            @if !note.advice.is_empty() { p { (note.advice) } }
        }
    }
}

fn advised(advice: &Advice) -> Markup {
    let Advice { note, severity, commands, source } = advice;
    html! {
        li class=(slug(&note.tone)) {
            p.fact { span.pill { (slug(severity)) } " " (note.fact) }
            @if !note.advice.is_empty() { p { (note.advice) } }
            @for contents in commands { (listing(contents)) }
            p.source { (source) }
        }
    }
}

/// A table that scrolls within its own region where it is wide, and becomes a list of cards where the screen is
/// narrow. The roles are spelled out because that change of layout would take them away.
fn table(table: &Table, id: &str) -> Markup {
    let caption = format!("{id}-caption");
    let meanings: Vec<_> = table.meanings().collect();
    let remarks: Vec<_> = table.remarks().collect();
    // As long in sight as the last of its columns.
    let while_shown = |columns: &[&Column]| {
        columns.iter().min_by_key(|column| column.dispensable).map_or("", |column| spare(table, column).trim_start())
    };
    html! {
        div.scroll role="region" aria-labelledby=(caption) tabindex="0" {
            table id=(id) role="table" {
                caption id=(caption) { (table.caption) }
                thead role="rowgroup" {
                    tr role="row" { @for column in &table.columns { (heading(table, column)) } }
                }
                tbody role="rowgroup" {
                    @for contents in &table.rows { (row(table, contents)) }
                }
            }
        }
        @if !meanings.is_empty() || !remarks.is_empty() {
            div.legend {
                @if !meanings.is_empty() {
                    p { @for (meaning, columns) in &meanings { span class=[Some(while_shown(columns)).filter(|class| !class.is_empty())] { (meaning) } " " } }
                }
                @for line in &remarks { p { (line) } }
            }
        }
    }
}

fn heading(table: &Table, column: &Column) -> Markup {
    html! {
        th scope="col" role="columnheader" class=(place(table, column)) {
            (column.heading)
            @if let Some(unit) = column.unit { " " span.unit { (unit) } }
        }
    }
}

/// Classes of a heading. The last column that heads rows is the one that distinguishes them; those before only group them.
fn place(table: &Table, column: &Column) -> String {
    let last = table.columns.iter().rfind(|column| column.heads);
    let last = if last.is_some_and(|last| last.heading == column.heading) { " last" } else { "" };
    format!("{}{last}{}", align(column.align), spare(table, column))
}

/// Tables of more columns than this leave some out where the window is not as wide.
const BROAD: usize = 10;

/// Class of a column that a broad table can do without.
fn spare(table: &Table, column: &Column) -> &'static str {
    match column.dispensable {
        _ if table.columns.len() <= BROAD => "",
        0..4 => "",
        4..6 => " spare-3",
        6..9 => " spare-4",
        9.. => " spare-5",
    }
}

fn row(table: &Table, row: &TableRow) -> Markup {
    html! {
        tr role="row" class=(slug(&row.kind)) {
            @for (column, cell) in table.columns.iter().zip(&row.cells) {
                @if column.heads {
                    th scope="row" role="rowheader" class=(place(table, column)) { (cell.text) }
                } @else {
                    td role="cell" data-label=(column.label()) class={ (align(column.align)) " " (slug(&cell.tone)) (spare(table, column)) } {
                        span { (cell.text) @if !cell.mark.is_empty() { sup { (cell.mark) } } }
                    }
                }
            }
        }
    }
}

fn figure(figure: &Chart) -> Markup {
    let title = format!("chart-{}", figure.name);
    html! {
        figure {
            // The picture shows its title itself, and says to those who do not see it what it shows.
            h3.unseen id=(title) { (figure.title) }
            div.scroll.chart role="region" aria-labelledby=(title) tabindex="0" { (PreEscaped(&figure.svg)) }
        }
    }
}

fn listing(listing: &Listing) -> Markup {
    let code = html! {
        pre tabindex="0" aria-label=(listing.title) role="region" { code { (listing.text) } }
    };
    html! {
        @if listing.folded {
            details { summary { (listing.title) } (code) }
        } @else {
            p.listing { (listing.title) ":" }
            (code)
        }
    }
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Left => "words",
        Align::Right => "number",
    }
}
