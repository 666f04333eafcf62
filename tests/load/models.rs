//! Load models, kinds of checkout and sequences.

use super::bench::{Bench, balance, counts, one_service, response_ms, service_ms};
use crate::support::for_each_client;

for_each_client!(
    a_pipeline_sends_the_requests_of_a_client_together,
    shared_checkout_carries_several_requests_on_one_connection,
    sequences_are_measured_as_a_whole_and_per_step,
);

const SHORT: &str = "warmup = \"200ms\"\nduration = \"1s\"\ndrain = \"2s\"";

#[test]
fn think_time_bounds_a_closed_loop() {
    let text = one_service(
        SHORT,
        "size = 10",
        "model = \"closed\"\nclients = 10\nthink_time = \"50ms\"",
        &["command = \"GET\""],
    );
    let recording = Bench::new(&text, &[]).run();
    let (completed, failed, unfinished) = balance(&recording);
    assert_eq!((failed, unfinished), (0, 0));
    // Ten clients, each at most once in 50 ms, so 20 times in the second and once more at its edge.
    assert!(completed <= 210, "{completed}");
    assert!(completed >= 20, "{completed}");
}

#[test]
fn more_clients_than_connections_wait_for_the_pool() {
    let text = one_service(SHORT, "size = 2", "model = \"closed\"\nclients = 20", &["command = \"GET\""]);
    let recording = Bench::new(&text, &[]).run();
    let (_, failed, _) = balance(&recording);
    assert_eq!(failed, 0);
    // With 20 clients on two connections nine tenths of the response time is waiting.
    let ratio = response_ms(&recording, 0.5) / service_ms(&recording, 0.5);
    assert!(ratio > 4.0, "response is {ratio} times service");
}

fn a_pipeline_sends_the_requests_of_a_client_together(client: &str) {
    let text = one_service(
        SHORT,
        "size = 1\npipeline = 16",
        "model = \"closed\"\nclients = 1",
        &["command = \"GET\"", "command = \"SET\""],
    );
    let recording = Bench::of(client, &text, &[]).run();
    let (completed, failed, unfinished) = balance(&recording);
    assert_eq!((failed, unfinished, completed % 16), (0, 0, 0), "{completed} requests are whole batches");
    let second = &recording.services[0].seconds[0];
    assert!(second.in_use <= 1.0, "{} connections were in use at a time", second.in_use);
    assert!(second.in_system > 4.0, "{} requests were under way at a time", second.in_system);
}

fn shared_checkout_carries_several_requests_on_one_connection(client: &str) {
    let text = one_service(
        SHORT,
        "size = 1\ncheckout = \"shared\"\nin_flight = 16",
        "model = \"closed\"\nclients = 16",
        &["command = \"GET\"", "command = \"SET\""],
    );
    let recording = Bench::of(client, &text, &[]).run();
    let (_, failed, unfinished) = balance(&recording);
    assert_eq!((failed, unfinished), (0, 0));
    assert_eq!(recording.services[0].connections, 1);
    let busiest = recording.services[0].seconds[0].in_use;
    assert!(busiest > 8.0, "{busiest} places were in use at a time");
}

fn sequences_are_measured_as_a_whole_and_per_step(client: &str) {
    let sequence = |name: &str, transaction: bool| {
        format!(
            "name = \"{name}\"\ntransaction = {transaction}\n\
             sequence = [{{ command = \"GET\" }}, {{ command = \"SET\" }}]"
        )
    };
    let text = one_service(
        SHORT,
        "size = 4",
        "model = \"closed\"\nclients = 4",
        &[&sequence("plain", false), &sequence("atomic", true)],
    );
    let recording = Bench::of(client, &text, &[]).run();
    let (_, failed, unfinished) = balance(&recording);
    assert_eq!((failed, unfinished), (0, 0));
    let plain = counts(&recording, "plain").completed;
    assert!(plain > 0);
    for step in ["plain/1.GET", "plain/2.SET"] {
        assert_eq!(counts(&recording, step).completed, plain, "{step}");
    }
    let atomic = counts(&recording, "atomic").completed;
    assert!(atomic > 0);
    for step in ["atomic/1.MULTI", "atomic/2.GET", "atomic/3.SET", "atomic/4.EXEC"] {
        assert_eq!(counts(&recording, step).completed, atomic, "{step}");
    }
}

#[test]
fn a_cycle_takes_operations_in_turn() {
    let text = one_service(
        SHORT,
        "size = 1",
        "model = \"closed\"\nclients = 1",
        &["command = \"PING\"", "command = \"SET\"", "command = \"GET\""],
    )
    .replace("name = \"api\"", "name = \"api\"\norder = \"cycle\"");
    let recording = Bench::new(&text, &[]).run();
    balance(&recording);
    let [ping, set, get] = ["PING", "SET", "GET"].map(|name| counts(&recording, name).completed);
    assert!(ping.abs_diff(set) <= 1 && set.abs_diff(get) <= 1, "{ping} {set} {get}");
}
