//! The SQL side of PostgreSQL: the schema, its triggers and the adoption of tables that were there before, asked as any
//! other program would ask, by plain statements on a real server.

mod schema;
