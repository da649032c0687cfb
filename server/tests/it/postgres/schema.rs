//! Creating and completing the schema.

use caravana_postgres::migrate;

use crate::support::postgres::TestDatabase;

#[tokio::test]
async fn a_database_is_brought_up_to_date_once_however_many_start_together() {
    let database = TestDatabase::empty().await;
    let starts = (0..4).map(|_| {
        let options = database.options();
        tokio::spawn(async move { migrate(&options).await.unwrap() })
    });
    let reports = futures::future::join_all(starts).await;
    let applied: Vec<_> = reports.into_iter().map(|report| report.unwrap().applied).collect();
    assert_eq!(applied.iter().filter(|versions| !versions.is_empty()).count(), 1, "{applied:?}");
    let versions: Vec<i64> = sqlx::query_scalar("select version from caravana.migration order by version")
        .fetch_all(&mut database.connect().await)
        .await
        .unwrap();
    assert!(versions.starts_with(&[1, 2]), "{versions:?}");
}
