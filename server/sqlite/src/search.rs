//! The search in messages: the indexes of `0010_search.sql`, read group by group, and the messages that wait for them.
//!
//! In both indexes the messages of a group lie together, the newest first. So the newest matches of one group cost
//! little, however many there are. For a user of many groups, or for a word whose beginning has no index of its own, all
//! matches are read once and sorted instead.

pub(super) mod indexer;
mod waiting;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;
use caravana_protocol::rest::SearchAnswer;
use caravana_protocol::{Timestamp, UserId};
use caravana_store::search::{Batch, Candidate, Candidates, Cursor, Tier, page};
use caravana_store::{Log as _, Search, Searches, StoreError};
use sqlx::{FromRow, SqliteConnection};

use super::SqliteStore;
use super::rows::{MessageRow, Name, message_columns, message_tables};

/// How many bits of a place are for the number; those above are the group's.
const NUMBER_BITS: u32 = 40;
/// The largest number. A place has the difference to it, so that the newest message of a group is its first.
const NUMBER: i64 = (1 << NUMBER_BITS) - 1;
/// With more groups than this, one pass over all matches is cheaper than a look into each group.
const GROUPS_ONE_BY_ONE: usize = 64;
/// The longest beginning of a word that has an index of its own (`prefix` in the migration). A longer one is put
/// together from the words that begin with it, each time.
const INDEXED_BEGINNING: usize = 5;
/// Places that are read at once where most of them may be left out later: those in the other tier, or of other authors
/// and times.
const PLACES: usize = 250;

#[async_trait]
impl Searches for SqliteStore {
    async fn search(&self, viewer: UserId, search: &Search) -> Result<Option<SearchAnswer>, StoreError> {
        if let Some(group) = search.group
            && self.role(group, viewer).await?.is_none()
        {
            return Ok(None);
        }
        let mut tx = self.readers.begin().await?;
        let groups: Vec<i64> = sqlx::query_scalar(
            "select s.number from caravana_member v join caravana_search_group s on s.group_id = v.group_id \
             where v.user_id = ?1 and (?2 is null or v.group_id = ?2)",
        )
        .bind(viewer.to_string())
        .bind(search.group.map(|group| group.to_string()))
        .fetch_all(&mut *tx)
        .await?;
        let waiting = waiting::matches(&mut tx, &groups, &search.query).await?;
        let mut index = Index { connection: &mut tx, search, viewer, groups, matching: Matching::of(search), waiting };
        page(search, &mut index).await.map(Some)
    }
}

/// The two questions to the indexes, in the language of FTS5: words in quotation marks, in which nothing has a meaning.
struct Matching {
    spelling: String,
    words: String,
    has_long_word: bool,
}

impl Matching {
    fn of(search: &Search) -> Self {
        let quoted = |word: &String| format!("\"{word}\"");
        let beginnings = search.query.beginnings();
        let words = beginnings.iter().map(|(word, is_open)| if *is_open { quoted(word) + "*" } else { quoted(word) });
        Self {
            spelling: search.query.spellings().iter().map(quoted).collect::<Vec<_>>().join(" "),
            words: words.collect::<Vec<_>>().join(" "),
            has_long_word: beginnings
                .iter()
                .any(|(word, is_open)| *is_open && word.chars().count() > INDEXED_BEGINNING),
        }
    }
}

/// One of the two indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Spelling,
    Word,
}

impl Table {
    /// The question for the newest matches of one group.
    fn of_one(self) -> &'static str {
        match self {
            Self::Spelling => {
                "select rowid from caravana_search_spelling where caravana_search_spelling match ?1 \
                 and rowid between ?2 and ?3 order by rowid limit ?4"
            }
            Self::Word => {
                "select rowid from caravana_search_word where caravana_search_word match ?1 \
                 and rowid between ?2 and ?3 order by rowid limit ?4"
            }
        }
    }

    /// The question for the newest matches of several groups.
    fn of_all(self) -> &'static str {
        match self {
            Self::Spelling => {
                "select rowid from caravana_search_spelling where caravana_search_spelling match ?1 \
                 and rowid >> 40 in (select value from json_each(?2)) and rowid & 1099511627775 >= ?3 \
                 and rowid & 1099511627775 <= ?4 order by rowid & 1099511627775 limit ?5"
            }
            Self::Word => {
                "select rowid from caravana_search_word where caravana_search_word match ?1 \
                 and rowid >> 40 in (select value from json_each(?2)) and rowid & 1099511627775 >= ?3 \
                 and rowid & 1099511627775 <= ?4 order by rowid & 1099511627775 limit ?5"
            }
        }
    }
}

struct Index<'a> {
    connection: &'a mut SqliteConnection,
    search: &'a Search,
    viewer: UserId,
    groups: Vec<i64>,
    matching: Matching,
    /// Matches that are in no index, in descending order of their numbers.
    waiting: Vec<(i64, Tier)>,
}

#[async_trait]
impl Candidates for Index<'_> {
    async fn below(&mut self, cursor: Cursor, most: usize) -> Result<Batch, StoreError> {
        let below = cursor.below.clamp(0, NUMBER);
        let (table, many) = match (cursor.tier, self.search.is_filtered()) {
            (Tier::Spelling, false) => (Table::Spelling, most),
            (Tier::Spelling, true) => (Table::Spelling, PLACES),
            (Tier::Words, _) => (Table::Word, PLACES.max(most)),
        };
        let mut places = self.places(table, 0..below, many).await?;
        let mut rest = (places.len() >= many).then(|| places.last().map_or(0, |place| number(*place)));
        if let (Tier::Words, Some(last)) = (cursor.tier, places.last()) {
            // What is spelled so has its place in the first part of the answer.
            let spelled = self.places(Table::Spelling, number(*last)..below, usize::MAX).await?;
            let spelled: BTreeSet<i64> = spelled.into_iter().collect();
            places.retain(|place| !spelled.contains(place));
        }
        let known = rest.unwrap_or(0)..below;
        let waiting =
            self.waiting.iter().filter(|(place, tier)| *tier == cursor.tier && known.contains(&number(*place)));
        let waiting: BTreeSet<i64> = waiting.map(|(place, _)| *place).collect();
        places.retain(|place| !waiting.contains(place));
        places.extend(&waiting);
        places.sort_unstable_by_key(|place| Reverse(number(*place)));
        // Without a filter nearly all of them are hits.
        if !self.search.is_filtered() && places.len() > most {
            places.truncate(most);
            rest = places.last().map(|place| number(*place));
        }
        Ok(Batch { candidates: self.candidates(&places, &waiting).await?, rest })
    }
}

/// The number in a place.
fn number(place: i64) -> i64 {
    NUMBER - (place & NUMBER)
}

impl Index<'_> {
    /// The places of matches whose number is in this range, in descending order of their numbers.
    async fn places(&mut self, table: Table, numbers: Range<i64>, many: usize) -> Result<Vec<i64>, StoreError> {
        let has_long_word = table == Table::Word && self.matching.has_long_word;
        let one_by_one = if has_long_word { 1 } else { GROUPS_ONE_BY_ONE };
        let limit = i64::try_from(many).unwrap_or(i64::MAX);
        // What a place has of a number is the difference to the largest one.
        let (first, last) = (NUMBER - (numbers.end - 1), NUMBER - numbers.start);
        if self.groups.len() > one_by_one {
            return Ok(sqlx::query_scalar(table.of_all())
                .bind(self.matching.of_table(table))
                .bind(serde_json::to_string(&self.groups).unwrap_or_default())
                .bind(first)
                .bind(last)
                .bind(limit)
                .fetch_all(&mut *self.connection)
                .await?);
        }
        let mut places = Vec::new();
        for group in &self.groups {
            let of_group: Vec<i64> = sqlx::query_scalar(table.of_one())
                .bind(self.matching.of_table(table))
                .bind(group << NUMBER_BITS | first)
                .bind(group << NUMBER_BITS | last)
                .bind(limit)
                .fetch_all(&mut *self.connection)
                .await?;
            places.extend(of_group);
        }
        places.sort_unstable_by_key(|place| Reverse(number(*place)));
        places.truncate(many);
        Ok(places)
    }

    /// The messages at these places that the filters admit. Times are compared to the second here, and exactly later.
    /// An index may still have the old text of a message; such a message is among those that wait.
    async fn candidates(&mut self, places: &[i64], waiting: &BTreeSet<i64>) -> Result<Vec<Candidate>, StoreError> {
        let seconds = |moment: Option<Timestamp>| moment.map(|moment| moment.unix_micros().div_euclid(1_000_000));
        let rows: Vec<FoundRow> = sqlx::query_as(concat!(
            "select t.place, case when d.group_id is null then g.name else coalesce(du.display_name, '') end as group_name, u.display_name as author_name, ",
            message_columns!(),
            " from json_each(?1) i cross join caravana_search_text t on t.place = i.value cross join ",
            message_tables!(),
            " left join groups g on g.id = c.group_id left join users u on u.id = c.user_id \
             left join caravana_direct d on d.group_id = c.group_id \
             left join users du on du.id = case when d.low_user = ?6 then d.high_user else d.low_user end \
             where c.id = t.message_id and m.group_id = c.group_id \
             and (t.is_indexed or t.place in (select value from json_each(?5))) and (?2 is null or c.user_id = ?2) \
             and (?3 is null or coalesce(cast(strftime('%s', upper(c.created_at)) as integer), 0) >= ?3) \
             and (?4 is null or coalesce(cast(strftime('%s', upper(c.created_at)) as integer), 0) <= ?4) order by i.key"
        ))
        .bind(serde_json::to_string(places).unwrap_or_default())
        .bind(self.search.from.map(|user| user.to_string()))
        .bind(seconds(self.search.since))
        .bind(seconds(self.search.until))
        .bind(serde_json::to_string(waiting).unwrap_or_default())
        .bind(self.viewer.to_string())
        .fetch_all(&mut *self.connection)
        .await?;
        Ok(rows.into_iter().map(FoundRow::into_candidate).collect())
    }
}

impl Matching {
    fn of_table(&self, table: Table) -> &str {
        match table {
            Table::Spelling => &self.spelling,
            Table::Word => &self.words,
        }
    }
}

#[derive(FromRow)]
struct FoundRow {
    place: i64,
    group_name: Option<Name>,
    author_name: Option<Name>,
    #[sqlx(flatten)]
    message: MessageRow,
}

impl FoundRow {
    fn into_candidate(self) -> Candidate {
        Candidate {
            number: number(self.place),
            message: self.message.into_message(),
            author: self.author_name.map(|name| name.0),
            group: self.group_name.map(|name| name.0).unwrap_or_default(),
        }
    }
}

/// Gives all messages that have none a place: after rows were copied without triggers. A server indexes them.
pub async fn place_all(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "begin immediate",
        "insert into caravana_search_group (group_id) select h.group_id from caravana_head h \
         where not exists (select 1 from caravana_search_group g where g.group_id = h.group_id)",
        "insert into caravana_search_text (place, message_id, text) \
         select g.number << 40 | 1099511627775 - n.last - row_number() over (order by c.created_at, m.group_id, m.seq), c.id, \
           substr(c.message, 1, 4000) \
         from caravana_search_number n, caravana_message m \
         join group_chat c on c.id = m.message_id and c.group_id = m.group_id \
         join caravana_search_group g on g.group_id = m.group_id \
         where coalesce(c.status, true) \
           and not exists (select 1 from caravana_search_text t where t.message_id = c.id)",
        "update caravana_search_number set last = max(last, coalesce( \
         (select 1099511627775 - min(place & 1099511627775) from caravana_search_text), 0))",
        "commit",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}
