//! Labels of events above a chart: the action where there is space for it, and one label for events that lie close together.

/// Between the line of an event and its label, and between a label and the next line.
const SPACE: f64 = 3.0;

/// A label, of one event or of several in a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) text: String,
    /// Where the text begins.
    pub(super) left: f64,
    /// Places of its events.
    pub(super) events: std::ops::Range<usize>,
}

/// Labels for events, given as the place and the action of each in the order of time, in front of an edge. `width` measures a text.
pub(super) fn labels(events: &[(f64, &str)], right: f64, width: impl Fn(&str) -> f64) -> Vec<Label> {
    let needed = |text: &str| width(text) + 2.0 * SPACE;
    let mut labels: Vec<Label> = Vec::new();
    let (mut first, mut end) = (0, 1);
    while first < events.len() {
        let (x, actions) = (events[first].0, &events[first..end]);
        let edge = events.get(end).map_or(right, |(next, _)| *next);
        let found = candidates(actions, first).into_iter().take(2).find(|text| x + needed(text) <= edge);
        if let Some(text) = found {
            labels.push(Label { text, left: x + SPACE, events: first..end });
        } else if end < events.len() {
            end += 1;
            continue;
        } else {
            // The last one may begin before its line.
            let free = labels.last().map_or(0.0, |label| label.left + needed(&label.text));
            let text = candidates(actions, first).into_iter().find(|text| free + needed(text) <= right);
            labels.extend(text.map(|text| {
                let left = (right - width(&text) - SPACE).min(x + SPACE);
                Label { text, left, events: first..end }
            }));
        }
        (first, end) = (end, end + 1);
    }
    labels
}

/// Texts for events, the longest first: their actions, the words of these, the first word, and their numbers.
fn candidates(events: &[(f64, &str)], before: usize) -> [String; 4] {
    let word = |action: &str| action.split(':').next().unwrap_or_default().to_owned();
    let words: Vec<_> = events.iter().map(|(_, action)| word(action)).collect();
    let whole: Vec<_> = events.iter().map(|(_, action)| *action).collect();
    let (first, last) = (before + 1, before + events.len());
    [
        whole.join(", "),
        words.join(", "),
        if events.len() > 1 { format!("{} +{}", words[0], events.len() - 1) } else { words[0].clone() },
        if first == last { first.to_string() } else { format!("{first}–{last}") },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(events: &[(f64, &str)], right: f64) -> Vec<(String, f64)> {
        let found = labels(events, right, |text| 6.0 * text.chars().count() as f64);
        found.into_iter().map(|label| (label.text, label.left)).collect()
    }

    #[test]
    fn events_apart_have_a_label_each() {
        let events = [(100.0, "kill:1"), (200.0, "failover")];
        assert_eq!(texts(&events, 600.0), [("kill:1".to_owned(), 103.0), ("failover".to_owned(), 203.0)]);
        let close = [(100.0, "stop:primary:5s"), (150.0, "failover")];
        assert_eq!(texts(&close, 600.0), [("stop".to_owned(), 103.0), ("failover".to_owned(), 153.0)]);
    }

    #[test]
    fn events_of_one_moment_share_a_label() {
        let events = [(100.0, "kill:1"), (105.0, "failover"), (300.0, "restart:1")];
        assert_eq!(texts(&events, 600.0), [("kill:1, failover".to_owned(), 103.0), ("restart:1".to_owned(), 303.0)]);
        let found = labels(&events, 600.0, |text| 6.0 * text.len() as f64);
        assert_eq!(found.iter().map(|label| label.events.clone()).collect::<Vec<_>>(), [0..2, 2..3]);
        let many: Vec<_> = (0..9).map(|at| (100.0 + f64::from(at), "config:a=b")).collect();
        assert_eq!(texts(&many, 400.0), [("config +8".to_owned(), 103.0)]);
    }

    #[test]
    fn a_label_at_the_edge_begins_before_its_line() {
        assert_eq!(texts(&[(580.0, "failover")], 600.0), [("failover".to_owned(), 600.0 - 48.0 - SPACE)]);
        let crowded = [(10.0, "kill:1"), (55.0, "failover")];
        assert_eq!(texts(&crowded, 70.0), [("kill:1".to_owned(), 13.0), ("2".to_owned(), 58.0)]);
    }
}
