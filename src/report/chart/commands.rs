//! Each command as its clients and as the server time it: how much of what clients wait for is spent in the command.
//! A log axis, since a command of two microseconds often lies beside clients that wait seventy; so there are markers at
//! both times, and no stacked bars, whose lengths would mean nothing there.

use plotters_backend::text_anchor::HPos;

use crate::{analysis::CommandTime, report::subject::RunReport};

use super::{
    bars::{Bar, Bars},
    canvas::{Canvas, Marker, Pen},
    layout::{LABEL, NAME, Symbol},
    palette::{BLUE, CONTEXT, Colour, INK, MUTED},
    plot::Plot,
    scale::Scale,
    units::{duration, share},
};

/// Commands that are shown; the rest are named in the description.
const MOST: usize = 12;
const SERVER: (Colour, Marker) = (BLUE, Marker::Square);
const BOUND: (Colour, Marker) = (MUTED, Marker::Bar);
const CLIENT: (Colour, Marker) = (INK, Marker::Circle);
/// Columns on the right: both means, and the server's share of the clients' time; where each ends.
const VALUES: f64 = 214.0;
const ENDS: [f64; 3] = [76.0, 148.0, 212.0];

/// `None` where the server reported no command.
pub(super) fn plot(facts: &RunReport) -> Option<Plot> {
    let mut commands: Vec<_> = facts.analysis.server.commands.iter().collect();
    commands.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.name.cmp(&b.name)));
    let rest = commands.split_off(commands.len().min(MOST));
    if commands.is_empty() {
        return None;
    }
    let mut notes = vec![
        "Means, the command with the most time first. The difference is network, kernel, event loop of the server and \
         client library; the share is that of the command in the service time."
            .to_owned(),
    ];
    if !rest.is_empty() {
        notes.push(format!("Without {} commands that took less.", rest.len()));
    }
    if commands.iter().any(|command| command.client.is_none()) {
        notes.push("Commands sent in sequences only have no client time.".to_owned());
    }
    let bounded = commands.iter().any(|command| command.server_p99.is_some());
    let entries = [
        Some(Symbol::Marker(SERVER.1, SERVER.0).named("in the command, mean")),
        bounded.then(|| Symbol::Marker(BOUND.1, BOUND.0).named("upper bound of its p99")),
        Some(Symbol::Ring(CLIENT.1, CLIENT.0).named("at the client, mean")),
    ];
    let title = "Time in the server and at the client";
    let mut plot = Plot::new("server-and-clients", title, &notes.join(" ")).legend(entries.into_iter().flatten());
    let description = describe(&commands, &rest);
    let values: Vec<_> = commands
        .iter()
        .flat_map(|command| [Some(command.server), command.server_p99, command.client])
        .flatten()
        .collect();
    let named = commands.into_iter().map(|command| (command, command.name.clone(), false)).collect();
    let bars = Bars::new(named, &mut plot, 34.0, VALUES);
    let area = bars.area;
    let across = Scale::durations(values).between(area.left + 8.0, area.right - 8.0);

    let ticks = across.duration_ticks(52.0);
    plot.canvas.columns(area, &ticks);
    bars.draw(&mut plot.canvas);
    for (title, end) in ["server", "clients", "share"].iter().zip(ENDS) {
        plot.canvas.text(title, (area.right + end, area.top - 10.0), HPos::Right, LABEL);
    }
    for bar in &bars.bars {
        draw_bar(&mut plot.canvas, bar, &across);
    }
    plot.base_line(area, &ticks, "time per call (log)");
    Some(plot.described(description))
}

/// Time that a command took in all: the clients' where they timed it, else the server's.
fn weight(command: &CommandTime) -> f64 {
    command.client.unwrap_or(command.server) * command.calls as f64
}

fn draw_bar(canvas: &mut Canvas, bar: &Bar<&CommandTime>, across: &Scale) {
    let (y, command) = (bar.middle(), bar.row);
    let at = |nanos: f64| (across.at(nanos), y);
    if let Some(client) = command.client {
        canvas.line(&[at(command.server), at(client)], Pen::solid(CONTEXT, 3.5));
        // A ring, because both lie at one place where the command takes nearly all of the time.
        canvas.hollow_marker(at(client), CLIENT.1, 14.0, CLIENT.0);
    }
    if let Some(bound) = command.server_p99 {
        canvas.marker(at(bound), BOUND.1, 11.0, BOUND.0);
    }
    canvas.marker(at(command.server), SERVER.1, 8.5, SERVER.0);
    let written = |known: Option<String>| known.unwrap_or_else(|| "–".to_owned());
    let values =
        [duration(command.server), written(command.client.map(duration)), written(command.server_share().map(share))];
    for (value, end) in values.iter().zip(ENDS) {
        canvas.text(value, (bar.area.right + end, y + NAME.middle()), HPos::Right, NAME);
    }
}

fn describe(commands: &[&CommandTime], rest: &[&CommandTime]) -> String {
    let sentence = |command: &&CommandTime| {
        let server = duration(command.server);
        match (command.client, command.server_share()) {
            (Some(client), Some(part)) => {
                format!("{}: {server} of {}, {}", command.name, duration(client), share(part))
            }
            _ => format!("{}: {server}, no client time", command.name),
        }
    };
    let sentences: Vec<_> = commands.iter().map(sentence).collect();
    let omitted = if rest.is_empty() {
        String::new()
    } else {
        let names: Vec<_> = rest.iter().map(|command| command.name.as_str()).collect();
        format!(" Not shown: {}.", names.join(", "))
    };
    format!(
        "Mean time in the command out of the mean service time at the client, most time first. {}.{omitted}",
        sentences.join("; ")
    )
}
