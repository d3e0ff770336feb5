//! Writes that the parent leaves unanswered: whatever the function makes of them, the invocation does not pass for one whose
//! state is durable.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod appliance;
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod support;
#[path = "../../egress/tests/world/mod.rs"]
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use appliance::{Appliance, function, output};
use keeper::{Fault, Keeper};
use r3e_proto::api::functions::STORE_UNCONFIRMED;
use r3e_store::Options;
use sha2::{Digest as _, Sha256};

const DEADLINE_MS: u64 = 200;

async fn appliance() -> (Appliance, Arc<Keeper>) {
    let keeper = Keeper::new();
    let options = Options { commit_deadline_ms: DEADLINE_MS, ..Options::default() };
    (Appliance::with(Arc::clone(&keeper), options).await, keeper)
}

/// From now on the parent takes one commit, or loses it, and then says nothing.
fn fall_silent(keeper: &Keeper, fault: Fault) {
    keeper.fail_next([fault]);
    keeper.heads_lost.store(usize::MAX, Ordering::SeqCst);
}

/// The parent answers again; what it was asked is settled.
async fn recover(appliance: &Appliance, keeper: &Keeper) {
    keeper.heads_lost.store(0, Ordering::SeqCst);
    let before = appliance.store.sequence();
    support::eventually("the open commit is settled", || appliance.store.sequence() > before).await;
}

/// Functions that write, and what each makes of a write that fails.
const WRITERS: [(&str, &str); 4] = [
    ("waits", "export default async (v) => { await r3e.store.set('k', v); return 'written'; };"),
    (
        "catches",
        "export default async (v) => { try { await r3e.store.set('k', v); } catch { } return 'written'; };",
    ),
    ("does not wait", "export default (v) => { r3e.store.set('k', v).catch(() => 0); return 'written'; };"),
    (
        "fails",
        "export default async (v) => { try { await r3e.store.set('k', v); } catch { } throw new Error('no'); };",
    ),
];

#[tokio::test]
async fn no_function_passes_an_open_write_for_a_result() {
    for fault in [Fault::LostAfter, Fault::LostBefore] {
        let (appliance, keeper) = appliance().await;
        for (number, (name, source)) in WRITERS.into_iter().enumerate() {
            appliance.deploy("f", function(source)).await;
            fall_silent(&keeper, fault);
            let completed = appliance.invoke("f", &number.to_string()).await.unwrap();
            assert_eq!(completed.code(), STORE_UNCONFIRMED, "{name}: {}", output(&completed));
            let (_, told) =
                output(&completed).split_once(": ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            assert!(told.starts_with("1 write(s)"), "{name}: {told}");
            assert!(!told.contains("written"), "{name}: its result is withheld: {told}");
            assert_eq!(told.contains("Error: no"), name == "fails", "{told}");
            assert_eq!(completed.hashes.output, <[u8; 32]>::from(Sha256::digest(&told)), "the receipt's");
            recover(&appliance, &keeper).await;
            let again = appliance.invoke("f", "9").await.unwrap();
            assert_ne!(again.code(), STORE_UNCONFIRMED, "{name}: {}", output(&again));
        }
    }
}

#[tokio::test]
async fn a_function_is_told_by_a_code_of_its_own() {
    let (appliance, keeper) = appliance().await;
    let source = "export default async () => { try { await r3e.store.set('k', 1); } catch (e) { console.log(e.code); } };";
    appliance.deploy("f", function(source)).await;
    fall_silent(&keeper, Fault::LostAfter);
    let completed = appliance.invoke("f", "null").await.unwrap();
    assert_eq!(completed.logs[0].text, "unconfirmed");
    assert_eq!(completed.code(), STORE_UNCONFIRMED);
}

#[tokio::test]
async fn a_write_that_is_written_over_and_confirmed_settles_it() {
    let (appliance, keeper) = appliance().await;
    let source = "export default async (keys) => { for (let tries = 0; ; tries++) \
                  try { await r3e.store.set(keys[Math.min(tries, keys.length - 1)], 'v'); return tries; } \
                  catch (e) { if (e.code !== 'unconfirmed') throw e; console.log(e.code); } };";
    appliance.deploy("f", function(source)).await;
    for (keys, settled) in [(r#"["k"]"#, true), (r#"["k", "other"]"#, false)] {
        fall_silent(&keeper, Fault::LostBefore);
        let recovering = Arc::clone(&keeper);
        let waker = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(2 * DEADLINE_MS)).await;
            recovering.heads_lost.store(0, Ordering::SeqCst);
        });
        let completed = appliance.invoke("f", keys).await.unwrap();
        waker.await.unwrap();
        assert!(!completed.logs.is_empty(), "the first try was open");
        assert_eq!(completed.code() == "ok", settled, "{keys}: {}", output(&completed));
        assert_eq!(completed.code() == STORE_UNCONFIRMED, !settled, "{keys}: {}", output(&completed));
    }
}

#[tokio::test]
async fn a_write_that_was_refused_is_the_functions_own_affair() {
    let (appliance, _) = appliance().await;
    let source = "export default async () => { try { await r3e.store.set('k', 'x'.repeat(1 << 20)); } \
                  catch (e) { return e.code; } };";
    appliance.deploy("f", function(source)).await;
    let completed = appliance.invoke("f", "null").await.unwrap();
    assert_eq!((completed.code(), output(&completed).as_str()), ("ok", r#""too_large""#));
}
