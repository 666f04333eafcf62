//! What a comparison says: the verdict in its first sentence, what has changed, what it rests on.

mod changes;
mod headline;
mod history;
mod method;
mod stored;
mod words;

use super::{
    Block, Chart, Section, Shown, View,
    charts::charts_sections,
    names::{address, made_by},
    results,
};
use crate::report::{format, subject::ComparisonReport};

pub(in crate::report) use headline::headline as comparison_headline;
pub(in crate::report) use history::headline as history_headline;
pub(in crate::report) use stored::headline as baseline_headline;
pub use words::difference_in_words;

pub(in crate::report) use words::difference_field;

impl View {
    /// The document of a comparison, with the charts that were drawn of it.
    pub(crate) fn of_comparison(compared: &ComparisonReport, charts: &[Chart]) -> Self {
        let [leading, further] = charts_sections(charts, 2);
        let sections = [
            method::differences(compared),
            leading,
            changes::section(compared),
            method::section(compared),
            further,
            method::runs(compared),
        ];
        let title = format!("{} against {}", compared.run.name, compared.against);
        let headline = headline::headline(compared);
        Self::new(title, subtitle(compared), headline, sections, made_by(&compared.run.software))
    }

    /// The report of a run with what a comparison says, behind its results.
    pub(super) fn against(mut self, compared: Option<&ComparisonReport>) -> Self {
        if let Some(compared) = compared {
            let place = self.sections.iter().position(|section| section.id == results::ID).map_or(0, |place| place + 1);
            let sections = within_a_report(compared).into_iter().filter(|section| !section.blocks.is_empty());
            self.sections.splice(place..place, sections);
        }
        self
    }
}

/// What a comparison says, as a part of a report.
fn within_a_report(compared: &ComparisonReport) -> [Section; 3] {
    let headline = headline::headline(compared);
    let sentence = headline.sentence.clone();
    let mut blocks: Vec<_> = std::iter::once(headline.sentence).chain(headline.remarks).map(Block::Paragraph).collect();
    blocks.extend(changes::section(compared).blocks);
    let title = "Compared with the baseline";
    [
        Section::new("baseline", title, blocks)
            .detailed(Shown::ParagraphsAnd("change-by-row"))
            .brief_line(title, Some(sentence)),
        method::differences(compared).brief([]),
        method::section(compared).detailed(Shown::Nothing).brief([]),
    ]
}

fn subtitle(compared: &ComparisonReport) -> String {
    let target = &compared.run.target;
    format!(
        "{} of {} against {} of {}, on {} {} at {}.",
        compared.run.name,
        compared.run.started,
        compared.against,
        format::counted(compared.base.len() as u64, "run", "runs"),
        target.product,
        target.version,
        address(target),
    )
}
