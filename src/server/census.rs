//! Two quick looks before any load: what connections cost the server, and how much it is used already.

use std::time::Duration;

use fred::interfaces::ClientLike;
use tokio::time::{Instant, sleep};

use super::{info::Info, questions::Questions};
use crate::results::ConnectionLevel;

/// Within this time a server has looked at all its clients, and its sums of their memory are those of now (`clientsCron` of
/// Redis and Valkey goes round once a second).
const ROUND: Duration = Duration::from_millis(1_200);

/// Number and memory of connections; `None` where the server does not report it (`mem_clients_normal`: since Redis 4.0).
pub async fn connection_level(client: impl ClientLike) -> Option<ConnectionLevel> {
    sleep(ROUND).await;
    let info = info(&mut Questions::new(client)).await?;
    Some(ConnectionLevel {
        connections: info.number("connected_clients")?,
        client_memory: info.number("mem_clients_normal")?,
        used_memory: info.number("used_memory")?,
    })
}

/// Commands per second over some time, without the look itself; `None` where the server does not report it, or was restarted
/// meanwhile.
pub async fn command_rate(client: impl ClientLike, over: Duration) -> Option<f64> {
    let mut questions = Questions::new(client);
    let commands = |info: &Info| info.number::<u64>("total_commands_processed");
    let before = commands(&info(&mut questions).await?)?;
    let begun = Instant::now();
    sleep(over).await;
    let after = commands(&info(&mut questions).await?)?;
    // The first look is counted when it is over.
    Some(after.checked_sub(before)?.saturating_sub(1) as f64 / begun.elapsed().as_secs_f64())
}

async fn info<C: ClientLike>(questions: &mut Questions<C>) -> Option<Info> {
    questions.ask_text(&["INFO"]).await.map(|text| Info::parse(&text))
}
