//! What every page must be: all that its view says, in order and nothing else, with the structure that readers and screen readers need.

use std::collections::HashSet;

use super::{align, render, slug};
use crate::{
    report::{
        CapacityReport, Document, RunReport, capacity_sample, comparison_tests, document_tests, gate_tests,
        view::{Advice, Block, Listing, Note, Table, View},
    },
    results::{
        Baseline, Ended,
        sample::{self, abstracts},
    },
};

/// Elements that have no end.
const VOID: [&str; 3] = ["!DOCTYPE", "meta", "link"];

/// Views of every kind of document; those of a run and of a comparison of pools with charts.
fn views() -> Vec<View> {
    let run = RunReport::new(sample::run()).unwrap();
    let capacity = |(capacity, analysis)| CapacityReport { capacity, scenario: capacity_sample::scenario(), analysis };
    let pools = capacity(capacity_sample::pools());
    let baseline = Baseline::new(abstracts(10));
    let mut views = vec![
        run.view(&run.charts()),
        View::of_server(&run, &[]),
        pools.view(&pools.charts()),
        crate::report::BaselineReport { name: "nightly", baseline: &baseline }.view(&[]),
        document_tests::audit_view(),
        comparison_tests::slower().view(&[]),
        comparison_tests::chronicle().view(&[]),
        sample::small_ci().view(&[]),
    ];
    let others = [capacity_sample::single(), capacity_sample::sweep(), capacity_sample::cut_short(1, Ended::Running)];
    views.extend(others.map(|found| capacity(found).view(&[])));
    views.extend(gate_tests::ALL.iter().map(|gate| gate.view(&[])));
    views
}

/// Tags of a page, each with the text behind it. Text and attributes have no angle brackets of their own.
fn pieces(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split('<').skip(1).map(|piece| piece.split_once('>').unwrap())
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

fn name(tag: &str) -> &str {
    tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap()
}

/// Text without white space and as it is written in a page.
fn written(text: &str) -> String {
    let text: String = text.split_whitespace().collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What a reader sees of a page, without white space and the texts of charts.
fn seen(page: &str) -> String {
    let (mut within_chart, mut seen) = (false, String::new());
    let body = page.split_once("<body>").unwrap().1;
    for (tag, text) in pieces(body) {
        match tag.split(' ').next().unwrap() {
            "svg" => within_chart = true,
            "/svg" => within_chart = false,
            _ => {}
        }
        if !within_chart {
            seen.extend(text.split_whitespace());
        }
    }
    seen
}

/// What a page of a view has to say, in order.
fn said(view: &View) -> Vec<String> {
    let headline = &view.headline;
    let mut said = vec!["Skip to the verdict".to_owned(), view.title.clone(), view.subtitle.clone()];
    said.push(headline.sentence.clone());
    said.extend(headline.remarks.clone());
    said.extend(headline.numbers.iter().flat_map(|number| [&number.name, &number.value, &number.against]).cloned());
    said.extend(view.sections.iter().map(|section| section.title.to_owned()));
    for section in &view.sections {
        said.push(section.title.to_owned());
        section.blocks.iter().for_each(|block| said_in(block, &mut said));
    }
    said.push(format!("Made by {}.", view.footer));
    said
}

fn said_in(block: &Block, said: &mut Vec<String>) {
    let note = |Note { tone, fact, advice }: &Note| [slug(&tone.severity()), fact.clone(), advice.clone()];
    let listing = |Listing { title, text, folded, .. }: &Listing| {
        [format!("{title}{}", if *folded { "" } else { ":" }), text.clone()]
    };
    match block {
        Block::Heading(text) | Block::Paragraph(text) => said.push(text.clone()),
        Block::Table(table) => {
            said.push(table.caption.clone());
            let heading = |column: &super::Column| format!("{}{}", column.heading, column.unit.unwrap_or_default());
            said.extend(table.columns.iter().map(heading));
            for (place, cell) in table.rows.iter().flat_map(|row| row.cells.iter().enumerate()) {
                said.push(cell.text.clone());
                said.extend((!table.columns[place].heads).then(|| cell.mark.to_owned()));
            }
            said.extend(table.legend(|_| true));
        }
        Block::Notes(notes) => said.extend(notes.iter().flat_map(note)),
        Block::Advice(all) => {
            for Advice { note: Note { fact, advice, .. }, severity, commands, source } in all {
                said.extend([slug(severity), fact.clone(), advice.clone()]);
                said.extend(commands.iter().flat_map(listing));
                said.push(source.clone());
            }
        }
        Block::Facts(facts) => said.extend(facts.iter().flat_map(|(name, value)| [name.clone(), value.clone()])),
        Block::Charts(figures) => said.extend(figures.iter().map(|figure| figure.title.clone())),
        Block::Listing(text) => said.extend(listing(text)),
    }
}

fn blocks(view: &View) -> impl Iterator<Item = &Block> {
    view.sections.iter().flat_map(|section| &section.blocks)
}

#[test]
fn a_page_says_what_its_view_says_and_nothing_else() {
    for view in views() {
        let expected: String = said(&view).iter().map(|text| written(text)).collect();
        let page = seen(&render(&view));
        let differs = expected.bytes().zip(page.bytes()).take_while(|(wanted, found)| wanted == found).count();
        let from = |text: &str| String::from_utf8_lossy(&text.as_bytes()[differs.saturating_sub(60)..]).into_owned();
        assert!(expected == page, "{}\n{:.300}\nis not\n{:.300}", view.title, from(&page), from(&expected));
    }
}

#[test]
fn every_cell_has_its_heading_and_every_colour_its_meaning() {
    for view in views() {
        let page = render(&view);
        let (mut cells, mut heads, mut tones) =
            (Vec::new(), Vec::new(), vec![format!("verdict {}", slug(&view.headline.tone))]);
        for block in blocks(&view) {
            match block {
                Block::Table(Table { columns, rows, .. }) => {
                    heads.extend(columns.iter().map(|_| "col"));
                    for (column, cell) in rows.iter().flat_map(|row| columns.iter().zip(&row.cells)) {
                        if column.heads {
                            heads.push("row");
                        } else {
                            let looks = format!("{} {}", align(column.align), slug(&cell.tone));
                            cells.push((written(&column.label()), looks));
                        }
                    }
                }
                Block::Notes(notes) => tones.extend(notes.iter().map(|note| slug(&note.tone))),
                Block::Advice(all) => tones.extend(all.iter().map(|advice| slug(&advice.note.tone))),
                _ => {}
            }
        }
        let (mut cells, mut heads, mut tones) = (cells.into_iter(), heads.into_iter(), tones.into_iter());
        for (tag, _) in pieces(&page).filter(|(tag, _)| !tag.starts_with('/')) {
            let class = attribute(tag, "class").unwrap_or_default();
            match name(tag) {
                "td" => {
                    let (label, looks) = cells.next().unwrap();
                    assert_eq!(written(attribute(tag, "data-label").unwrap()).replace("&amp;", "&"), label);
                    assert!(class.starts_with(&looks), "{tag} is not {looks}");
                }
                "th" => assert_eq!(attribute(tag, "scope"), heads.next(), "{tag}"),
                "li" if !class.is_empty() => assert_eq!(Some(class), tones.next().as_deref(), "{tag}"),
                "section" if class.starts_with("verdict ") => assert_eq!(Some(class), tones.next().as_deref()),
                _ => {}
            }
        }
        assert!(cells.next().is_none() && heads.next().is_none() && tones.next().is_none(), "{}", view.title);
    }
}

#[test]
fn a_page_is_well_formed_and_needs_nothing_from_elsewhere() {
    for view in views() {
        let page = render(&view);
        assert!(page.contains(&format!("content=\"{}\"", super::POLICY)));
        let (mut open, mut ids, mut meant) = (Vec::new(), HashSet::new(), Vec::new());
        for (tag, _) in pieces(&page) {
            match tag.strip_prefix('/') {
                Some(end) => assert_eq!(open.pop(), Some(end), "{}", view.title),
                None if tag.ends_with('/') || VOID.contains(&name(tag)) => {}
                None => open.push(name(tag)),
            }
            assert!(!["script", "img", "iframe", "object"].contains(&name(tag)) && attribute(tag, "src").is_none());
            if let Some(id) = attribute(tag, "id") {
                assert!(ids.insert(id), "two parts of the page are {id}");
            }
            meant.extend(["aria-labelledby", "aria-describedby"].iter().filter_map(|by| attribute(tag, by)));
            if let Some(link) = attribute(tag, "href").filter(|link| *link != "data:,") {
                meant.push(link.strip_prefix('#').unwrap_or_else(|| panic!("{tag} leads elsewhere")));
            }
        }
        assert_eq!(open, Vec::<&str>::new());
        for id in meant.iter().flat_map(|ids| ids.split(' ')) {
            assert!(ids.contains(id), "there is no {id}");
        }
        let figures = blocks(&view).map(|block| if let Block::Charts(all) = block { all.len() } else { 0 });
        assert_eq!(page.matches("<svg").count(), figures.sum::<usize>() + 1, "the charts and the mark");
    }
}
