use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;

/// A provider in virtual time.
#[derive(Default)]
struct Provider {
    requests: AtomicUsize,
    /// What it publishes; `None`: it is down.
    ids: Mutex<Option<Vec<&'static str>>>,
    /// How long it takes to answer, if not at once.
    delays: Mutex<VecDeque<Duration>>,
}

impl Provider {
    fn with(ids: &[&'static str]) -> Arc<Self> {
        let provider = Arc::new(Self::default());
        provider.publish(ids);
        provider
    }

    fn publish(&self, ids: &[&'static str]) {
        *self.ids.lock().unwrap() = Some(ids.to_vec());
    }

    fn goes_down(&self) {
        *self.ids.lock().unwrap() = None;
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    fn list(self: &Arc<Self>) -> KeyList {
        let provider = Arc::clone(self);
        let fetch: Fetch = Box::new(move || {
            let provider = Arc::clone(&provider);
            Box::pin(async move {
                provider.requests.fetch_add(1, Ordering::Relaxed);
                let delay = provider.delays.lock().unwrap().pop_front();
                tokio::time::sleep(delay.unwrap_or_default()).await;
                let ids = provider.ids.lock().unwrap().clone();
                ids.map_or(Err(FetchError::TooLong), |ids| Ok(parse(published(&ids).as_bytes())?))
            })
        });
        KeyList::start(fetch, &Shutdown::new())
    }
}

fn published(ids: &[&str]) -> String {
    let key = |id: &&str| json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": id, "use": "sig"});
    json!({"keys": ids.iter().map(key).collect::<Vec<_>>()}).to_string()
}

/// `Some(true)`: the key is known. `None`: there is no list.
async fn knows(list: &KeyList, id: &str) -> Option<bool> {
    list.find(id, Algorithm::ES256).await.ok().map(|key| key.is_some())
}

#[tokio::test(start_paused = true)]
async fn a_list_is_fetched_once_in_ten_minutes_however_often_it_is_asked() {
    let provider = Provider::with(&["a"]);
    let list = provider.list();
    for _ in 0..100 {
        assert_eq!(knows(&list, "a").await, Some(true));
    }
    assert_eq!(provider.requests(), 1);
    provider.publish(&["b"]);
    tokio::time::sleep(FRESH + Duration::from_secs(1)).await;
    assert_eq!(provider.requests(), 2);
    assert_eq!(knows(&list, "b").await, Some(true));
    assert_eq!(provider.requests(), 2, "it was known already");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_looked_for_once_a_minute() {
    let provider = Provider::with(&["a"]);
    let list = provider.list();
    assert_eq!(knows(&list, "a").await, Some(true));
    provider.publish(&["b"]);
    assert_eq!(knows(&list, "b").await, Some(true), "a rotated key is found at once");
    assert_eq!(knows(&list, "a").await, Some(false), "and the old one is gone");
    for id in ["c", "d", "e"] {
        assert_eq!(knows(&list, id).await, Some(false));
    }
    assert_eq!(provider.requests(), 2);
    tokio::time::sleep(UNKNOWN_EVERY).await;
    provider.publish(&["b", "c"]);
    assert_eq!(knows(&list, "c").await, Some(true));
    assert_eq!(provider.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_believed_for_a_day_without_its_provider() {
    let provider = Provider::with(&["a"]);
    let list = provider.list();
    assert_eq!(knows(&list, "a").await, Some(true));
    provider.goes_down();
    tokio::time::sleep(Duration::from_hours(23)).await;
    assert_eq!(knows(&list, "a").await, Some(true));
    let tried = provider.requests();
    assert!((1_000..=1_500).contains(&tried), "{tried} requests in a day: one a minute");
    tokio::time::sleep(Duration::from_hours(1) + FRESH).await;
    assert_eq!(knows(&list, "a").await, None);
    provider.publish(&["a"]);
    tokio::time::sleep(RETRY).await;
    assert_eq!(knows(&list, "a").await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_comes_up_late_is_found_when_somebody_needs_it() {
    let provider = Arc::new(Provider::default());
    let list = provider.list();
    assert_eq!(knows(&list, "a").await, None);
    provider.publish(&["a"]);
    tokio::time::sleep(RETRY_WITHOUT).await;
    assert_eq!(knows(&list, "a").await, Some(true));
}

#[tokio::test(start_paused = true)]
async fn who_asks_waits_for_a_slow_provider_but_not_for_long() {
    let provider = Provider::with(&["a"]);
    provider.delays.lock().unwrap().push_back(Duration::from_mins(1));
    let (list, start) = (provider.list(), Instant::now());
    assert_eq!(knows(&list, "a").await, None);
    assert_eq!(start.elapsed(), PATIENCE);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(knows(&list, "a").await, Some(true), "the fetch went on");
    assert_eq!(provider.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_known_id_for_another_algorithm_is_no_key_and_no_reason_to_fetch() {
    let provider = Provider::with(&["a"]);
    let list = provider.list();
    assert_eq!(knows(&list, "a").await, Some(true));
    assert!(list.find("a", Algorithm::RS256).await.unwrap().is_none());
    assert_eq!(provider.requests(), 1);
}

#[test]
fn only_keys_that_verify_what_we_know_are_taken() {
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"});
    let with = |field: &str, value: serde_json::Value| {
        let mut key = ec.clone();
        key[field] = value;
        key
    };
    let ids = |keys: serde_json::Value| parse(json!({"keys": keys}).to_string().as_bytes()).unwrap().len();
    assert_eq!(ids(json!([ec, with("alg", json!("ES256")), with("key_ops", json!(["verify"]))])), 3);
    for (name, key) in [
        ("encrypts", with("use", json!("enc"))),
        ("signs", with("key_ops", json!(["sign"]))),
        ("another algorithm", with("alg", json!("RS256"))),
        ("another curve", with("crv", json!("P-384"))),
        ("symmetric", json!({"kty": "oct", "k": "AAAA", "kid": "k", "alg": "HS256"})),
        ("without an id", with("kid", json!(null))),
        ("a path for an id", with("kid", json!("../../x"))),
        ("nonsense", json!(7)),
    ] {
        assert_eq!(ids(json!([key, ec])), 1, "{name}");
    }
    assert_eq!(ids(json!(vec![ec; 1_000])), 32);
    assert!(parse(b"<html>").is_err() && parse(b"{}").is_err());
}
