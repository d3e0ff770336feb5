//! Triggers as they are shown.

use r3e_proto::api::triggers::{
    Auth, Crossing, Fire, FireOutcome, Fired, Price, Published, Scheme, Source, Trigger,
};

use crate::output::{fields, table, time};

pub(super) fn list(triggers: &[Trigger]) -> String {
    let rows: Vec<[String; 6]> = triggers
        .iter()
        .map(|it| {
            let kind = it.definition.source.kind().to_owned();
            [it.name.clone(), kind, it.definition.function.clone(), state(it), next(it), it.fired.to_string()]
        })
        .collect();
    table(["NAME", "KIND", "FUNCTION", "STATE", "NEXT", "FIRED"], &rows)
}

pub(super) fn one(trigger: &Trigger) -> String {
    let definition = &trigger.definition;
    let waits = match &definition.source {
        Source::Cron(cron) => format!("{} in {}", cron.schedule, cron.time_zone),
        Source::Http(http) => format!("requests, {}", believed(&http.auth)),
        Source::Event(topic) => format!("events of {}", topic.topic),
        Source::Chain(chain) => match (&chain.contract, &chain.event) {
            (Some(contract), Some(event)) => format!("{event} of {contract} on {}", chain.network),
            _ => format!("blocks of {}", chain.network),
        },
        Source::Price(price) => crossing(price),
        other => other.kind().to_owned(),
    };
    let mut pairs = vec![
        ("trigger", trigger.name.clone()),
        ("function", definition.function.clone()),
        ("waits for", waits),
        ("state", state(trigger)),
        ("next", next(trigger)),
    ];
    pairs.extend(trigger.hook.clone().map(|hook| ("hook", hook)));
    if let Some(chain) = &trigger.chain {
        pairs.extend(chain.stopped.clone().map(|why| ("stopped", why)));
        pairs.extend(chain.trouble.clone().map(|why| ("trouble", why)));
    }
    if let Some(price) = &trigger.price {
        pairs.extend(price.reference.clone().map(|answer| ("changes from", answer)));
        let fired = "it fired; again once the price was back at the bound".to_owned();
        pairs.extend((price.armed == Some(false)).then_some(("bound", fired)));
        pairs.extend((price.missed > 0).then(|| ("missed", format!("{} reports", price.missed))));
        pairs.extend(price.trouble.clone().map(|why| ("trouble", why)));
    }
    pairs.extend(definition.filter.clone().map(|filter| ("filter", filter)));
    pairs.extend(definition.transform.clone().map(|transform| ("transform", transform)));
    pairs.extend(definition.declared_by.clone().map(|project| ("declared by", project)));
    pairs.extend(definition.made_by.clone().map(|function| ("made by", function)));
    let passed = trigger.passed;
    let counts = [
        ("fired", trigger.fired),
        ("filtered", passed.filtered),
        ("failed", passed.failed),
        ("refused", passed.refused),
        ("limited", passed.limited),
    ];
    pairs.extend(counts.map(|(name, count)| (name, count.to_string())));
    fields(&pairs)
}

pub(super) fn history(history: &[Fire]) -> String {
    let rows: Vec<[String; 3]> = history
        .iter()
        .map(|fire| {
            let outcome = match &fire.outcome {
                FireOutcome::Job(job) => job.to_string(),
                FireOutcome::Filtered => "filtered".to_owned(),
                FireOutcome::Failed(reason) => reason.clone(),
            };
            [time(fire.at_ms), fire.tick_ms.map_or("-".to_owned(), time), outcome]
        })
        .collect();
    table(["FIRED", "TICK", "JOB"], &rows)
}

pub(super) fn fired(fired: &Fired) -> String {
    match (&fired.job, &fired.reason) {
        (Some(job), _) => job.to_string(),
        (None, reason) => format!("no job: {}", reason.as_deref().unwrap_or("unknown")),
    }
}

pub(super) fn published(published: &Published) -> String {
    if published.fired.is_empty() {
        return "no trigger waits for this topic".to_owned();
    }
    let lines: Vec<String> =
        published.fired.iter().map(|one| format!("{}  {}", one.trigger, fired(one))).collect();
    lines.join("\n")
}

fn state(trigger: &Trigger) -> String {
    let chain = trigger.chain.as_ref();
    let is_troubled = trigger.price.as_ref().is_some_and(|price| price.trouble.is_some());
    match (trigger.paused, chain) {
        (true, _) => "paused",
        (_, Some(chain)) if chain.stopped.is_some() => "stopped",
        (_, Some(chain)) if chain.trouble.is_some() => "in trouble",
        _ if is_troubled => "in trouble",
        _ => "active",
    }
    .to_owned()
}

fn next(trigger: &Trigger) -> String {
    let block = trigger.chain.as_ref().and_then(|chain| chain.next_block);
    let block = block.map(|block| format!("block {block}"));
    let report = trigger.price.as_ref().map(|price| format!("report {}", price.sequence.saturating_add(1)));
    trigger.next_at_ms.map(time).or(block).or(report).unwrap_or("-".to_owned())
}

fn crossing(price: &Price) -> String {
    let feed = &price.feed;
    match &price.crossing {
        Crossing::Above(bound) => format!("{feed} above {bound}"),
        Crossing::Below(bound) => format!("{feed} below {bound}"),
        Crossing::ChangeBps(bps) => format!("changes of {feed} by {}.{:02} %", bps / 100, bps % 100),
    }
}

fn believed(auth: &Auth) -> String {
    match auth {
        Auth::None => "whoever sends them".to_owned(),
        Auth::ApiKey(key) => format!("which send the secret {}", key.secret),
        Auth::Hmac(hmac) => {
            let scheme = match hmac.scheme {
                Scheme::Standard => "Standard Webhooks",
                Scheme::Timestamped => "timestamped",
            };
            format!("signed ({scheme}) with the secret {}", hmac.secret)
        }
    }
}
