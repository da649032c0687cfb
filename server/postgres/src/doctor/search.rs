//! Checks that the search finds every message.

use caravana_store::doctor::Finding;
use sqlx::PgConnection;

pub(super) async fn index(connection: &mut PgConnection, findings: &mut Vec<Finding>) -> Result<(), sqlx::Error> {
    let (is_finished, is_heard, is_complete): (bool, bool, bool) = sqlx::query_as(
        "select (select finished_at is not null from caravana.search_state), \
           exists (select from pg_trigger t where t.tgrelid = 'caravana.event'::regclass \
             and t.tgname = 'search_heard' and t.tgenabled in ('O', 'A')), \
           not exists (select from caravana.message m \
             join public.group_chat c on c.id = m.message_id and c.group_id = m.group_id and coalesce(c.status, true) \
             where not exists (select from caravana.search_text t where t.message_id = m.message_id))",
    )
    .persistent(false)
    .fetch_one(connection)
    .await?;
    findings.push(if !is_heard {
        Finding::wrong(
            "trigger search_heard of caravana.event is missing or disabled: the search does not find new messages",
            "alter table caravana.event enable trigger search_heard, or make it again as in \
             migrations/postgres/0010_search.sql; then `server migrate`, which finds what was missed",
        )
    } else if !is_finished {
        Finding::wrong(
            "old messages still wait for their place in the index of the search",
            "start a server, or call `server migrate`",
        )
    } else if !is_complete {
        Finding::wrong("the search does not find every message", "`server migrate` brings in what is missing")
    } else {
        Finding::good("the search finds every message")
    });
    Ok(())
}
