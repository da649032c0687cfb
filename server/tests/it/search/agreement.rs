//! The index of PostgreSQL makes its words in SQL. It may ignore more than the search does, and never less: else it
//! would not find what the search on SQLite finds.

use caravana_store::search::IndexedWords;

use crate::support::postgres::TestDatabase;

#[tokio::test]
async fn postgresql_ignores_what_the_search_ignores_and_ends_words_where_it_does() {
    let database = TestDatabase::empty().await;
    caravana_postgres::migrate(&database.options()).await.unwrap();
    let mut connection = database.connect().await;
    let texts: Vec<String> = ('\u{1}'..=char::MAX).filter(|c| is_known(*c)).map(|c| format!("x{c}y")).collect();
    let (folded, spelled): (Vec<String>, Vec<String>) =
        texts.iter().map(|text| IndexedWords::of(text)).map(|words| (words.folded, words.spelled)).unzip();
    let differ: Vec<String> = sqlx::query_scalar(
        "select format('U+%s: %s as %s, %s', to_hex(ascii(substr(t, 2, 1))), t, folded_text, folded_words) \
         from unnest($1::text[], $2::text[], $3::text[]) as r (t, f, s), \
           lateral (select caravana.search_small(t) as st, caravana.search_small(f) as sf, \
             caravana.search_small(s) as ss offset 0) small, \
           lateral (select caravana.search_split(caravana.search_plain(st)) as folded_text, \
             caravana.search_split(caravana.search_plain(sf)) as folded_words, \
             caravana.search_split(st) as spelled_text, caravana.search_split(ss) as spelled_words offset 0) words \
         where folded_text <> folded_words or spelled_text <> spelled_words",
    )
    .bind(&texts)
    .bind(&folded)
    .bind(&spelled)
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(differ.is_empty(), "{} {:#?}", differ.len(), &differ[..differ.len().min(60)]);
}

/// Characters of which both have to know what they are: letters, and usual separators. What no version of Unicode has
/// assigned yet, and the marks and symbols of rare scripts, may differ. Of the many letters of Han and Hangul some will do.
fn is_known(c: char) -> bool {
    let is_one_of_many = matches!(c, '\u{3400}'..='\u{d7ff}' | '\u{12000}'..='\u{1cfff}' | '\u{20000}'..);
    if is_one_of_many && !u32::from(c).is_multiple_of(61) {
        return false;
    }
    let is_usual = matches!(
        c,
        '\0'..='\u{36f}' | '\u{2000}'..='\u{2064}' | '\u{20a0}'..='\u{20bf}' | '\u{2190}'..='\u{2426}'
            | '\u{2500}'..='\u{27bf}' | '\u{3000}'..='\u{303f}' | '\u{fe00}'..='\u{fe0f}' | '\u{ff01}'..='\u{ff20}'
            | '\u{1f000}'..='\u{1faff}'
    );
    is_usual || !IndexedWords::of(&format!("x{c}y")).spelled.contains(' ')
}
