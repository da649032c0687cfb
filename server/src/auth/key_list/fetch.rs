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
/// A few keys are some kilobytes; with certificates somewhat more.
const LONGEST: usize = 64 * 1024;

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, or a broken one.
    #[error("the provider did not answer")]
    Http(#[from] reqwest::Error),
    /// An answer with another status.
    #[error("the provider answered {0}")]
    Status(StatusCode),
    /// More than a list can be.
    #[error("the list is longer than {LONGEST} bytes")]
    TooLong,
    /// An answer that is not a list of keys.
    #[error("the answer is no list of keys")]
    NotAList(#[from] serde_json::Error),
}

/// Why this machine can't fetch anything.
pub type FetchSetupError = reqwest::Error;

/// Fetches the list of the project at this address. It contacts no other host, so redirects are not followed, and it
/// uses TLS if the address does.
pub fn fetcher(project: &Origin) -> Result<Fetch, FetchSetupError> {
    let builder = Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(FETCH_WITHIN)
        .redirect(Policy::none())
        .https_only(project.is_secure())
        // The list is fetched only every ten minutes, so an idle connection is not kept.
        .pool_max_idle_per_host(0);
    // A proxy from the machine's environment is only for external hosts.
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
