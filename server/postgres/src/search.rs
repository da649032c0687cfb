//! The search in messages: first a walk over the newest messages, then the index.
//!
//! An inverted index gives all matches at once and in no order. For a frequent word these are more than anybody reads,
//! and only the newest are shown. So a few thousand of the newest messages are looked at first: a frequent word fills a
//! page from them. Only what does not fill a page, and so is rare, is looked up in the index.

use async_trait::async_trait;
use caravana_protocol::rest::SearchAnswer;
use caravana_protocol::{GroupId, UserId};
use caravana_store::search::{Batch, Candidate, Candidates, Cursor, Tier, page};
use caravana_store::{Log as _, Search, Searches, StoreError};
use sqlx::FromRow;
use uuid::Uuid;

use super::PostgresStore;
use super::access::Access;
use super::backend::Backend;
use super::rows::{MessageRow, Name, bound, message_columns, message_joins, micros};

/// How many of the newest messages a walk looks at, those of all groups together: some milliseconds.
const WALK: usize = 8_000;
/// How many walks follow each other, as long as they find something.
const WALKS: usize = 4;
/// Candidates at once where filters may leave out most of them.
const FILTERED: usize = 500;

#[async_trait]
impl Searches for PostgresStore {
    async fn search(&self, viewer: UserId, search: &Search) -> Result<Option<SearchAnswer>, StoreError> {
        if let Some(group) = search.group
            && self.role(group, viewer).await?.is_none()
        {
            return Ok(None);
        }
        self.access
            .ask_in_snapshot(|backend| {
                let (access, search) = (self.access.clone(), search.clone());
                Box::pin(async move {
                    let groups: Vec<i32> = sqlx::query_scalar(access.sql(
                        "select distinct s.number from {members} v join caravana.search_group s on s.group_id = v.group_id \
                         where v.user_id = $1 and ($2::uuid is null or v.group_id = $2)",
                    ))
                    .bind(viewer.uuid())
                    .bind(search.group.map(GroupId::uuid))
                    .fetch_all(&mut *backend)
                    .await?;
                    let (beginnings, is_open) = search.query.beginnings().into_iter().unzip();
                    let spellings = search.query.spellings();
                    let words = Words { groups, spellings, beginnings, is_open };
                    let mut index = Index { access, backend, search: &search, viewer, words, walked: None, walks: 0 };
                    page(&search, &mut index).await.map(Some)
                })
            })
            .await
    }
}

/// The arguments of `caravana.search_query`.
struct Words {
    groups: Vec<i32>,
    spellings: Vec<String>,
    beginnings: Vec<String>,
    is_open: Vec<bool>,
}

struct Index<'a> {
    access: Access,
    backend: &'a mut Backend,
    search: &'a Search,
    viewer: UserId,
    words: Words,
    /// The part whose newest messages were walked over.
    walked: Option<Tier>,
    /// How many more walks there may be before the index is asked.
    walks: usize,
}

#[async_trait]
impl Candidates for Index<'_> {
    async fn below(&mut self, cursor: Cursor, most: usize) -> Result<Batch, StoreError> {
        let many = if self.search.is_filtered() { FILTERED.max(most) } else { most };
        if self.walked != Some(cursor.tier) {
            (self.walked, self.walks) = (Some(cursor.tier), WALKS);
        }
        if self.walks == 0 {
            return self.look_up(cursor, many).await;
        }
        self.walks -= 1;
        let (batch, matches) = self.walk(cursor, many).await?;
        if matches == 0 {
            // The word is rare.
            self.walks = 0;
        }
        Ok(batch)
    }
}

/// A match: its number and its message.
type Match = (i64, Uuid);

impl Index<'_> {
    /// The matches among the newest messages below the cursor. Every group has an equal part of the walk. Where it ended
    /// before the group did, nothing is known of what is older, in whichever group: the rest begins there.
    async fn walk(&mut self, cursor: Cursor, many: usize) -> Result<(Batch, usize), StoreError> {
        let part = (WALK / self.words.groups.len().max(1)).max(1);
        let rows: Vec<(Option<i64>, Option<i64>, Option<Uuid>)> = sqlx::query_as(
            "with w as materialized ( \
               select g.number as group_number, t.number, t.message_id, t.words @@ q.query as is_match \
               from unnest($1::int[]) g (number) \
               cross join lateral (select caravana.search_query(array[g.number], $2, $3, $4, $5) as query offset 0) q \
               cross join lateral ( \
                 select t.number, t.message_id, t.words from caravana.search_text t \
                 where t.group_number = g.number and t.number < $6 order by t.number desc limit $7) t \
             ), known as ( \
               select max(oldest) as floor from ( \
                 select min(number) as oldest from w group by group_number having count(*) >= $7) ends \
             ) \
             select known.floor, m.number, m.message_id from known left join lateral ( \
               select w.number, w.message_id from w where w.is_match and w.number >= coalesce(known.floor, 0) \
               order by w.number desc limit $8) m on true order by m.number desc",
        )
        .bind(&self.words.groups)
        .bind(&self.words.spellings)
        .bind(&self.words.beginnings)
        .bind(&self.words.is_open)
        .bind(cursor.tier == Tier::Spelling)
        .bind(cursor.below)
        .bind(i64::try_from(part).unwrap_or(i64::MAX))
        .bind(i64::try_from(many).unwrap_or(i64::MAX))
        .fetch_all(&mut *self.backend)
        .await?;
        let floor = rows.first().and_then(|(floor, ..)| *floor);
        let matches: Vec<Match> = rows.into_iter().filter_map(|(_, number, id)| Some((number?, id?))).collect();
        let rest = if matches.len() >= many { matches.last().map(|(number, _)| *number) } else { floor };
        Ok((Batch { candidates: self.candidates(&matches).await?, rest }, matches.len()))
    }

    async fn look_up(&mut self, cursor: Cursor, many: usize) -> Result<Batch, StoreError> {
        // The filters are applied before the sort, because the matches of a frequent word are many.
        let matches: Vec<Match> = sqlx::query_as(
            "with m as materialized ( \
               select t.number, t.message_id from caravana.search_text t \
               where t.words @@ (select caravana.search_query($1, $2, $3, $4, $5)) and t.number < $6 \
                 and (not $8 or exists (select from public.group_chat c where c.id = t.message_id \
                   and ($9::uuid is null or c.user_id = $9) \
                   and ($10::timestamptz is null or coalesce(c.created_at, 'epoch') >= $10) \
                   and ($11::timestamptz is null or coalesce(c.created_at, 'epoch') <= $11))) \
             ) select number, message_id from m order by number desc limit $7",
        )
        .bind(&self.words.groups)
        .bind(&self.words.spellings)
        .bind(&self.words.beginnings)
        .bind(&self.words.is_open)
        .bind(cursor.tier == Tier::Spelling)
        .bind(cursor.below)
        .bind(i64::try_from(many).unwrap_or(i64::MAX))
        .bind(self.search.is_filtered())
        .bind(self.search.from.map(UserId::uuid))
        .bind(self.search.since.map(bound))
        .bind(self.search.until.map(bound))
        .fetch_all(&mut *self.backend)
        .await?;
        let rest = matches.last().filter(|_| matches.len() >= many).map(|(number, _)| *number);
        Ok(Batch { candidates: self.candidates(&matches).await?, rest })
    }

    async fn candidates(&mut self, matches: &[Match]) -> Result<Vec<Candidate>, StoreError> {
        let (numbers, ids): (Vec<i64>, Vec<Uuid>) = matches.iter().copied().unzip();
        let rows: Vec<FoundRow> = sqlx::query_as(self.access.sql(concat!(
            "select f.number, g.group_name, u.author_name, ",
            message_columns!(),
            " from unnest($1::bigint[], $2::uuid[]) as f (number, id) \
             join lateral (select m.* from caravana.message m where m.message_id = f.id limit 1) m on true \
             join lateral (select c.* from public.group_chat c where c.id = f.id and c.group_id = m.group_id limit 1) c \
               on true \
             left join caravana.direct r on r.group_id = m.group_id \
             left join lateral (select case when r.group_id is null then {group name} else coalesce( \
                 (select {user name} from public.users u \
                   where u.id = case when r.low_user = $3 then r.high_user else r.low_user end limit 1), '') \
               end as group_name from public.groups g where g.id = m.group_id limit 1) g on true \
             left join lateral (select {user name} as author_name from public.users u \
               where u.id = c.user_id limit 1) u on true ",
            message_joins!(),
            " order by f.number desc"
        )))
        .bind(numbers)
        .bind(ids)
        .bind(self.viewer.uuid())
        .fetch_all(&mut *self.backend)
        .await?;
        Ok(rows.into_iter().map(FoundRow::into_candidate).collect())
    }
}

#[derive(FromRow)]
struct FoundRow {
    number: i64,
    group_name: Option<Name>,
    author_name: Option<Name>,
    #[sqlx(flatten)]
    message: MessageRow,
}

impl FoundRow {
    fn into_candidate(self) -> Candidate {
        Candidate {
            number: self.number,
            message: self.message.to_message(),
            author: self.author_name.map(|name| name.0),
            group: self.group_name.map(|name| name.0).unwrap_or_default(),
        }
    }
}
