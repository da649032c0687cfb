//! Messages that are not in the indexes yet: usually those of the last second.

use caravana_store::search::{Query, Tier};
use sqlx::SqliteConnection;

use super::{NUMBER, NUMBER_BITS, number};

/// How many of them a search looks at, those of all groups together. More wait only after another program has written
/// very many, or when the search is new in a database; then the newest are looked at.
const MOST: usize = 2_000;

/// Those that match, with their places.
pub(super) async fn matches(
    connection: &mut SqliteConnection,
    groups: &[i64],
    query: &Query,
) -> Result<Vec<(i64, Tier)>, sqlx::Error> {
    let any: bool = sqlx::query_scalar("select exists (select 1 from caravana_search_text where not is_indexed)")
        .fetch_one(&mut *connection)
        .await?;
    if !any {
        return Ok(Vec::new());
    }
    let of_each = i64::try_from((MOST / groups.len().max(1)).max(1)).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for group in groups {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "select place, cast(text as blob) from caravana_search_text indexed by caravana_search_waiting \
             where not is_indexed and place between ?1 and ?2 order by place limit ?3",
        )
        .bind(group << NUMBER_BITS)
        .bind(group << NUMBER_BITS | NUMBER)
        .bind(of_each)
        .fetch_all(&mut *connection)
        .await?;
        found.extend(
            rows.iter().filter_map(|(place, text)| Some((*place, query.tier(&String::from_utf8_lossy(text))?))),
        );
    }
    found.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(number(*place)));
    Ok(found)
}
