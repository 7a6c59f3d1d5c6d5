//! The threads that hash and the queue before them. The queue is bounded: what does not fit is refused at once, with
//! the time after which there will be room. A caller that went away leaves its place to the next.
//! A thread without work gives its memory back, so that an idle server holds none.
//!
//! A hash empties the caches of its core, so that what a log-in does beside it takes several times as long as it would by
//! itself. Where many wait, a thread therefore hands out its tags in groups: the callers' work is done at once, and only
//! the first of them finds the caches empty, which took a quarter off what log-ins need of a core beside their hashes.
//! Nobody is held up for more than three hashes, and only while more wait than that; their places stay taken so long.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::{
    HashError, Password, PasswordSettings,
    engine::{Engine, EngineError, EngineKind, StartError, Work},
    phc::Recipe,
};

/// How long a thread without work keeps its memory. Taking it anew costs about a sixth of a hash.
const KEEP_MEMORY: Duration = Duration::from_secs(2);

/// How many tags a thread hands out at once where many wait.
const GROUP: usize = 4;
/// How many must wait for each thread for that, so that nobody is held up where few log in.
const MANY: usize = 4;

type Tag = Zeroizing<Vec<u8>>;

/// What is to be hashed.
pub(super) struct Order {
    pub recipe: Recipe,
    pub password: Password,
    pub salt: Vec<u8>,
    pub tag_bytes: usize,
}

struct Job {
    order: Order,
    reply: Reply,
}

type Reply = oneshot::Sender<Result<Tag, EngineError>>;

/// The threads; they end when this is dropped and the queue is empty.
pub(super) struct Pool(Arc<Queue>);

struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    kind: EngineKind,
    /// The configured recipe; memory beyond it is not kept.
    recipe: Recipe,
    threads: u32,
    max_waiting: usize,
    /// How long a hash takes, as a moving average in microseconds.
    hash_micros: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Jobs that a thread is working on.
    running: u32,
    is_closed: bool,
}

impl Pool {
    /// Makes a first hash, which shows that there is memory for it and how long it takes, and starts the threads.
    pub(super) fn start(kind: EngineKind, recipe: Recipe, settings: &PasswordSettings) -> Result<Self, StartError> {
        let queue = Arc::new(Queue {
            state: Mutex::default(),
            wake: Condvar::new(),
            kind,
            recipe,
            threads: settings.max_parallel_hashes.get(),
            max_waiting: settings.queue_len(),
            hash_micros: AtomicU64::new(0),
        });
        queue.make_first_hash()?;
        let pool = Self(Arc::clone(&queue));
        for number in 0..queue.threads {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("hash-{number}")).spawn(move || queue.work())?;
        }
        Ok(pool)
    }

    /// Waits for the tag of `order`.
    ///
    /// # Errors
    /// [`HashError::Busy`] if too many wait already.
    pub(super) async fn run(&self, order: Order) -> Result<Tag, HashError> {
        let (reply, answer) = oneshot::channel();
        self.0.push(Job { order, reply })?;
        let Ok(outcome) = answer.await else { return Err(HashError::Internal("the thread failed".to_owned())) };
        outcome.map_err(|error| HashError::Internal(error.to_string()))
    }
}

impl Pool {
    /// How long a full queue takes, in whole seconds, at least one.
    pub(super) fn secs_until_empty(&self) -> u32 {
        self.0.secs_until_empty(self.0.max_waiting)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.wake.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a job. One may wait for every idle thread beyond the bound, so that a queue of length 0 still works.
    fn push(&self, job: Job) -> Result<(), HashError> {
        let mut state = self.lock();
        let idle = self.threads.saturating_sub(state.running) as usize;
        if state.waiting.len() >= self.max_waiting + idle {
            state.waiting.retain(|waiting| !waiting.reply.is_closed());
        }
        if state.waiting.len() >= self.max_waiting + idle {
            return Err(HashError::Busy { retry_after_secs: self.secs_until_empty(state.waiting.len()) });
        }
        state.waiting.push_back(job);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// The time that `waiting` jobs take on all threads, in whole seconds, at least one.
    fn secs_until_empty(&self, waiting: usize) -> u32 {
        let micros = self.hash_micros.load(Ordering::Relaxed).saturating_mul(waiting as u64) / u64::from(self.threads);
        u32::try_from(micros.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1)
    }

    /// A thread's life. A defect that panics costs one hash and the memory of the thread, not the thread.
    fn work(&self) {
        while catch_unwind(AssertUnwindSafe(|| self.work_off())).is_err() {
            tracing::error!("a password hash panicked");
        }
    }

    fn work_off(&self) {
        let (mut engine, mut done) = (Engine::new(self.kind), Done::default());
        while let Some(job) = self.next(&mut engine, &mut done) {
            let running = Running(self);
            if job.reply.is_closed() {
                continue;
            }
            let tag = self.hash(&mut engine, &job.order);
            // The thread is free before the caller knows; the caller may have gone away by now.
            drop(running);
            done.0.push((job.reply, tag));
        }
    }

    /// Waits for the next job; `None` once the pool is closed and nothing waits. What is done is handed out before, unless
    /// there is one to be taken at once that takes as long as others do.
    fn next(&self, engine: &mut Engine, done: &mut Done) -> Option<Job> {
        let mut state = self.lock();
        let are_many = state.waiting.len() >= MANY * self.threads as usize;
        let is_usual = state.waiting.front().is_some_and(|job| job.order.recipe == self.recipe);
        if done.0.len() >= GROUP || !are_many || !is_usual {
            drop(state);
            done.hand_out();
            state = self.lock();
        }
        let mut holds_memory = true;
        loop {
            if let Some(job) = state.waiting.pop_front() {
                state.running += 1;
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            if !holds_memory {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.wake.wait_timeout(state, KEEP_MEMORY).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            if waited.1.timed_out() && state.waiting.is_empty() {
                drop(state);
                engine.release();
                holds_memory = false;
                state = self.lock();
            }
        }
    }

    fn hash(&self, engine: &mut Engine, order: &Order) -> Result<Tag, EngineError> {
        let mut tag = Zeroizing::new(vec![0; order.tag_bytes]);
        let password = order.password.expose().as_bytes();
        let start = now();
        engine.tag(Work { recipe: order.recipe, password, salt: &order.salt }, &mut tag)?;
        self.note_duration(start.elapsed());
        if order.recipe.memory_kib > self.recipe.memory_kib {
            engine.release();
        }
        Ok(tag)
    }

    fn note_duration(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let old = self.hash_micros.load(Ordering::Relaxed);
        let average = if old == 0 { micros } else { (old.saturating_mul(7).saturating_add(micros)) / 8 };
        self.hash_micros.store(average, Ordering::Relaxed);
    }

    fn make_first_hash(&self) -> Result<(), StartError> {
        let password = Password::from("first hash".to_owned());
        let order = Order { recipe: self.recipe, password, salt: vec![0; 16], tag_bytes: 32 };
        let mut engine = Engine::new(self.kind);
        self.hash(&mut engine, &order).map(drop).map_err(|error| StartError::FirstHash(error.to_string()))
    }
}

/// Tags that are not handed out yet; at the latest they are when this ends, whatever ends it.
#[derive(Default)]
struct Done(Vec<(Reply, Result<Tag, EngineError>)>);

impl Done {
    fn hand_out(&mut self) {
        for (reply, tag) in self.0.drain(..) {
            let _ = reply.send(tag);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.hand_out();
    }
}

/// Counts a job as running for as long as it lives.
struct Running<'a>(&'a Queue);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running = state.running.saturating_sub(1);
    }
}

#[expect(clippy::disallowed_methods, reason = "measures this machine, for `Retry-After`; no rule depends on it")]
fn now() -> Instant {
    Instant::now()
}
