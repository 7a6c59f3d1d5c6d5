//! Deliveries as admins look at them: the newest first, by endpoint and state, paged by key. What was sent is no part of
//! this; the audit log shows the event.

use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use crate::{
    platform::{Db, Timestamp},
    shared::DeliveryId,
};

/// The columns of a [`Delivery`].
const COLUMNS: &str = "id, endpoint, kind, created_at, due_at, attempts, answer, delivered_at, failed_at";
/// Deliveries are counted up to here.
const COUNTED_ROWS: i64 = 1_000;

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, or to be sent again.
    Waiting,
    /// It has arrived.
    Delivered,
    /// It was refused for good, or too often.
    Failed,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Failed, Self::Delivered];

    /// The name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// In the words of the indexes.
    fn condition(self) -> &'static str {
        match self {
            Self::Waiting => "delivered_at IS NULL AND failed_at IS NULL",
            Self::Delivered => "delivered_at IS NOT NULL",
            Self::Failed => "failed_at IS NOT NULL",
        }
    }
}

/// A delivery as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which one.
    pub id: DeliveryId,
    /// To which endpoint.
    pub endpoint: String,
    /// What happened.
    pub kind: String,
    /// What has become of it.
    pub state: DeliveryState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// What came of the last try.
    pub answer: Option<String>,
}

/// Which deliveries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only those to this endpoint.
    pub endpoint: Option<String>,
    /// Only those in this state.
    pub state: Option<DeliveryState>,
}

/// Which part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryPage {
    /// From the newest.
    First,
    /// What follows this one.
    After(DeliveryId),
    /// What stands before this one.
    Before(DeliveryId),
}

/// One page of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryList {
    /// The deliveries, the newest first.
    pub deliveries: Vec<Delivery>,
    /// Whether there are some before these.
    pub has_previous: bool,
    /// Whether there are some behind these.
    pub has_next: bool,
}

/// How many deliveries to an endpoint need a look; `None` where they are more than is worth counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many wait.
    pub waiting: Option<i64>,
    /// How many have failed.
    pub failed: Option<i64>,
}

/// One page of what a filter leaves, `limit` at most.
///
/// # Errors
/// What the database says.
pub async fn list(
    db: &Db,
    (filter, page): (&DeliveryFilter, &DeliveryPage),
    limit: u32,
) -> Result<DeliveryList, sqlx::Error> {
    let (sql, values) = statement(filter, page, i64::from(limit) + 1);
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in values {
        query = query.bind(value);
    }
    let rows = query.fetch_all(db.reader()).await?;
    let mut deliveries = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let is_full = deliveries.len() > limit as usize;
    deliveries.truncate(limit as usize);
    if matches!(page, DeliveryPage::Before(_)) {
        deliveries.reverse();
    }
    let (has_previous, has_next) = match page {
        DeliveryPage::First => (false, is_full),
        DeliveryPage::After(_) => (true, is_full),
        DeliveryPage::Before(_) => (is_full, true),
    };
    Ok(DeliveryList { deliveries, has_previous, has_next })
}

fn statement(filter: &DeliveryFilter, page: &DeliveryPage, rows: i64) -> (String, Vec<String>) {
    let (mut conditions, mut values) = (vec!["1 = 1".to_owned()], Vec::new());
    if let Some(state) = filter.state {
        conditions.push(state.condition().to_owned());
    }
    if let Some(endpoint) = &filter.endpoint {
        values.push(endpoint.clone());
        conditions.push(format!("endpoint = ${}", values.len()));
    }
    let (comparison, key) = match page {
        DeliveryPage::First => ("", None),
        DeliveryPage::After(id) => ("<", Some(id)),
        DeliveryPage::Before(id) => (">", Some(id)),
    };
    if let Some(key) = key {
        values.push(key.to_string());
        conditions.push(format!("id {comparison} ${}", values.len()));
    }
    let order = if matches!(page, DeliveryPage::Before(_)) { "id" } else { "id DESC" };
    let conditions = conditions.join(" AND ");
    let sql = format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE {conditions} ORDER BY {order} LIMIT {rows}");
    (sql, values)
}

/// How many deliveries to an endpoint need a look.
///
/// # Errors
/// What the database says.
pub async fn counts(db: &Db, endpoint: &str) -> Result<Counts, sqlx::Error> {
    Ok(Counts {
        waiting: count(db, endpoint, DeliveryState::Waiting).await?,
        failed: count(db, endpoint, DeliveryState::Failed).await?,
    })
}

async fn count(db: &Db, endpoint: &str, state: DeliveryState) -> Result<Option<i64>, sqlx::Error> {
    let (condition, most) = (state.condition(), COUNTED_ROWS + 1);
    let statement = format!(
        "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE endpoint = $1 AND {condition} LIMIT {most}) counted"
    );
    let row = sqlx::query(AssertSqlSafe(statement)).bind(endpoint).fetch_one(db.reader()).await?;
    let count: i64 = row.try_get(0)?;
    Ok((count <= COUNTED_ROWS).then_some(count))
}

fn from_row(row: &AnyRow) -> Result<Delivery, sqlx::Error> {
    let is_set = |index: usize| row.try_get::<Option<i64>, _>(index).map(|at| at.is_some());
    let state = match (is_set(7)?, is_set(8)?) {
        (true, _) => DeliveryState::Delivered,
        (false, true) => DeliveryState::Failed,
        (false, false) => DeliveryState::Waiting,
    };
    Ok(Delivery {
        id: DeliveryId::new(row.try_get::<String, _>(0)?),
        endpoint: row.try_get(1)?,
        kind: row.try_get(2)?,
        state,
        created_at: Timestamp::from_micros(row.try_get(3)?),
        due_at: Timestamp::from_micros(row.try_get(4)?),
        attempts: row.try_get(5)?,
        answer: row.try_get(6)?,
    })
}
