//! Examines a PostgreSQL database: whether the server can work on it safely, and what to do if not.
//!
//! It only reads, apart from notifications on its own channel. `server doctor` calls it, also while servers run.

mod connection;
mod schema;
mod search;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

use caravana_store::doctor::Finding;

/// Runs all checks. `listen` is the address for notifications, if it is another one.
pub async fn examine(options: &PgConnectOptions, listen: Option<&PgConnectOptions>) -> Vec<Finding> {
    let mut connection = match connect(options).await {
        Ok(connection) => connection,
        Err(error) => {
            return vec![Finding::wrong(
                format!("the database does not answer: {error}"),
                "check DATABASE_URL, the server's address and the password",
            )];
        }
    };
    let mut findings = Vec::new();
    let outcome = look_around(&mut connection, options, listen, &mut findings).await;
    if let Err(error) = outcome {
        findings.push(Finding::wrong(
            format!("the examination could not be ended: {error}"),
            "does the role own the schema caravana and the tables? The server's own role is the one to examine with",
        ));
    }
    findings
}

async fn look_around(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    listen: Option<&PgConnectOptions>,
    findings: &mut Vec<Finding>,
) -> Result<(), sqlx::Error> {
    connection::version(connection, findings).await?;
    connection::encryption(options, findings);
    connection::durability(connection, findings).await?;
    connection::writable(connection, findings).await?;
    connection::clock(connection, findings).await?;
    let pooled = connection::pooler(connection, options, findings).await?;
    connection::notifications(connection, if pooled { listen } else { Some(listen.unwrap_or(options)) }, findings)
        .await?;
    if schema::versions(connection, findings).await? {
        schema::triggers(connection, findings).await?;
        schema::places(connection, findings).await?;
        search::index(connection, findings).await?;
        schema::authors(connection, findings).await?;
        schema::indexes(connection, findings).await?;
        schema::publication(connection, findings).await?;
        schema::exposure(connection, findings).await?;
        schema::closed_doors(connection, findings).await?;
    }
    Ok(())
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    options.clone().statement_cache_capacity(0).application_name("caravana doctor").connect().await
}
