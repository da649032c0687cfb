//! Fetching the list over HTTP.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use super::{Fetch, PublicKey, parse};
use crate::origin::Origin;

/// Where Supabase Auth publishes its keys.
const PATH: &str = "/auth/v1/.well-known/jwks.json";
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const FETCH_WITHIN: Duration = Duration::from_secs(5);
/// A handful of keys is some kilobytes, with certificates some more.
const LONGEST: usize = 64 * 1024;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, or a broken one.
    #[error("the provider did not answer")]
    Http(#[from] reqwest::Error),
    /// Another answer than the list.
    #[error("the provider answered {0}")]
    Status(StatusCode),
    /// More than a list can be.
    #[error("the list is longer than {LONGEST} bytes")]
    TooLong,
    /// Something that is no list.
    #[error("the answer is no list of keys")]
    NotAList(#[from] serde_json::Error),
}

/// Why nothing can be fetched from this machine.
pub type FetchSetupError = reqwest::Error;

/// Fetches the list of the project at this address: nowhere else, so no redirect is followed, and never without TLS from
/// an address that has it.
pub fn fetcher(project: &Origin) -> Result<Fetch, FetchSetupError> {
    let builder = Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(FETCH_WITHIN)
        .redirect(Policy::none())
        .https_only(project.is_secure())
        // A list is fetched every ten minutes; nothing is gained by a connection that waits for that.
        .pool_max_idle_per_host(0);
    // A proxy of the machine's environment is for the outside.
    let client = if project.is_loopback() { builder.no_proxy() } else { builder }.build()?;
    let url: Arc<str> = format!("{project}{PATH}").into();
    Ok(Box::new(move || Box::pin(fetch(client.clone(), Arc::clone(&url)))))
}

async fn fetch(client: Client, url: Arc<str>) -> Result<Vec<PublicKey>, FetchError> {
    let mut answer = client.get(&*url).send().await?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let mut list = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if list.len() + chunk.len() > LONGEST {
            return Err(FetchError::TooLong);
        }
        list.extend_from_slice(&chunk);
    }
    Ok(parse(&list)?)
}
