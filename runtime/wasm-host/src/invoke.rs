//! One call from the fresh instance to its outcome.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wasmtime::component::{ComponentType, Lift, Resource, ResourceTable};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};

use crate::call::{Call, Limits};
use crate::denials::Denials;
use crate::failure;
use crate::gate::Slot;
use crate::guest_files::{FileWatch, FileWork, Folders, HostFiles};
use crate::incoming;
use crate::inspect::{EntryPoint, Loaded};
use crate::outcome::{CAUSE_CHARS_MAX, ERROR_CHARS_MAX, Failure, Outcome, Usage, first_chars};
use crate::outgoing::Outgoing;
use crate::readable;
use crate::requests::OfHost;
use crate::state::{GuestState, HANDLES_MAX, Setup};
use crate::stdio::SharedCaptured;
use crate::turns::{InTurns, Progress};

/// What a guest may pass to the host in one call, and return at the end: it is copied into our memory.
pub const HOST_CALL_BYTES_MAX: usize = 16 << 20;

/// What a call needs beside itself.
pub(crate) struct Environment {
    pub(crate) module: Arc<Loaded>,
    pub(crate) is_cold: bool,
    pub(crate) progress: Progress,
    /// Given back after the instance is gone, also when the call is aborted.
    pub(crate) _slot: Slot,
    pub(crate) memory_bytes_max: usize,
    pub(crate) files: HostFiles,
    pub(crate) outgoing: Option<Arc<dyn Outgoing>>,
    /// What requests of all calls share.
    pub(crate) requests: OfHost,
    /// Ends every call of the host.
    pub(crate) stopping: CancellationToken,
}

/// `task-error` of the WIT package. Texts are copied: once the call is over, the guest has freed its own.
#[derive(ComponentType, Lift)]
#[component(record)]
struct TaskError {
    error: String,
    cause: String,
}

type HandleResult = (Result<String, TaskError>,);
type RunResult = (Result<(), ()>,);
type HttpParams = (Resource<HostIncomingRequest>, Resource<HostResponseOutparam>);

/// Runs the guest to its end, its limits or its cancellation. The instance and its scratch space are gone when this
/// returns.
pub(crate) async fn run(call: Call, environment: Environment) -> Outcome {
    let started = Instant::now();
    let work = environment.files.of_call(&call.module);
    // Boxes are for what few calls need: it would make the future larger, which all of them pay for.
    let mut folders = if call.grants.directories.is_empty() && call.grants.scratch_bytes == 0 {
        environment.files.no_folders()
    } else {
        let opening = Box::pin(environment.files.open_folders(&call.grants, &work));
        match within_limits(opening, &call, &environment.stopping, started).await {
            Ok(folders) => folders,
            Err(failure) => return Outcome::not_started(failure),
        }
    };
    let scratch = folders.take_scratch();
    let outcome = run_in(&call, &environment, (folders, work), started).await;
    if let Some(scratch) = scratch {
        Box::pin(scratch.remove()).await;
    }
    outcome
}

async fn run_in(
    call: &Call,
    environment: &Environment,
    (folders, work): (Folders, FileWork),
    started: Instant,
) -> Outcome {
    let captured = SharedCaptured::new(call.limits.log_bytes, call.limits.output_bytes);
    if let Some(watch) = &call.log_watch {
        watch.attach(&captured);
    }
    let denials = Denials::default();
    let files = FileWatch::new(folders, work, denials.clone());
    let remaining = call.limits.timeout.saturating_sub(started.elapsed());
    let mut store = match store(call, environment, (files, remaining), (&captured, &denials)) {
        Ok(store) => store,
        Err(failure) => return Outcome::not_started(failure),
    };

    let guest = Box::pin(guest(&mut store, &environment.module, call));
    let guest = InTurns::new(guest, environment.progress.clone());
    let result = within_limits(guest, call, &environment.stopping, started).await;

    let usage = Usage {
        // Known after a trap as well; reading it fails only for an engine without fuel.
        fuel: call.limits.fuel.saturating_sub(store.get_fuel().unwrap_or(0)),
        memory_bytes_peak: store.data().limiter.memory_bytes_peak(),
        wall: started.elapsed(),
        cpu: environment.progress.cpu().spent_by_now(),
        cold: environment.is_cold,
    };
    drop(store);
    let log = captured.lock().log().finish();
    Outcome { result, usage, log, denied: denials.take() }
}

/// Polls a guest, or what is done for it, until it ends or something else ends it.
async fn within_limits<T>(
    mut guest: impl Future<Output = Result<T, Failure>> + Unpin,
    call: &Call,
    stopping: &CancellationToken,
    started: Instant,
) -> Result<T, Failure> {
    if call.cancel.is_cancelled() || stopping.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    // Most guests are done when they first pause, which is a tick later at most. For them no timer is set, and they
    // stand in no list of what a cancellation wakes.
    if let Poll::Ready(result) = poll_fn(|cx| Poll::Ready(Pin::new(&mut guest).poll(cx))).await {
        return result;
    }
    Box::pin(async {
        let timeout = call.limits.timeout;
        tokio::select! {
            biased;
            () = call.cancel.cancelled() => Err(Failure::Cancelled),
            () = stopping.cancelled() => Err(Failure::Cancelled),
            () = tokio::time::sleep(timeout.saturating_sub(started.elapsed())) => {
                Err(Failure::TimedOut { after: timeout })
            }
            result = &mut guest => result,
        }
    })
    .await
}

fn store(
    call: &Call,
    environment: &Environment,
    (files, remaining): (FileWatch, Duration),
    (captured, denials): (&SharedCaptured, &Denials),
) -> Result<Store<GuestState>, Failure> {
    let module = &environment.module;
    let state = GuestState::new(Setup {
        entry: module.info.entry,
        call,
        memory_bytes_max: environment.memory_bytes_max,
        captured: captured.clone(),
        denials: denials.clone(),
        files,
        remaining,
        outgoing: environment.outgoing.clone(),
        requests: environment.requests.clone(),
    });
    let mut store = Store::new(module.pre.engine(), state);
    store.limiter(|state| &mut state.limiter);
    store.set_fuel(call.limits.fuel).map_err(|error| Failure::Host(error.to_string()))?;
    store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
    store.set_max_component_handles(HANDLES_MAX);
    store.set_epoch_deadline(1);
    // The engine's own yield wakes itself at once, and the runtime would look at its timers only after 61 of
    // those. Tokio's lets it look after each.
    let progress = environment.progress.clone();
    store.epoch_deadline_callback(move |_| {
        progress.set_busy();
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
    Ok(store)
}

async fn guest(store: &mut Store<GuestState>, module: &Loaded, call: &Call) -> Result<String, Failure> {
    let ended = match module.info.entry {
        EntryPoint::Task => handle(store, module, call).await,
        EntryPoint::Command => Box::pin(command(store, module, &call.limits)).await,
        EntryPoint::Http => Box::pin(serve(store, module, call)).await,
    };
    let output = ended.unwrap_or_else(|error| Err(failure::classify(&error, store.data(), &call.limits)))?;
    match readable::check(&output) {
        Ok(()) => Ok(output),
        Err(error) => Err(Failure::InvalidOutput(error.to_string())),
    }
}

async fn handle(
    store: &mut Store<GuestState>,
    module: &Loaded,
    call: &Call,
) -> wasmtime::Result<Result<String, Failure>> {
    let limit = call.limits.output_bytes;
    let instance = module.pre.instantiate_async(&mut *store).await?;
    let function = instance.get_typed_func::<(&str,), HandleResult>(&mut *store, module.function)?;
    let result = match function.call_async(&mut *store, (&call.input,)).await {
        Ok((result,)) => result,
        Err(error) if failure::is_oversized_result(&error) => {
            return Ok(Err(Failure::OutputTooLarge { size: HOST_CALL_BYTES_MAX, limit }));
        }
        Err(error) => return Err(error),
    };
    Ok(match result {
        Ok(output) if output.len() > limit => Err(Failure::OutputTooLarge { size: output.len(), limit }),
        Ok(output) => Ok(output),
        Err(TaskError { error, cause }) => Err(Failure::Task {
            error: first_chars(&error, ERROR_CHARS_MAX).to_owned(),
            cause: first_chars(&cause, CAUSE_CHARS_MAX).to_owned(),
        }),
    })
}

async fn command(
    store: &mut Store<GuestState>,
    module: &Loaded,
    limits: &Limits,
) -> wasmtime::Result<Result<String, Failure>> {
    let instance = module.pre.instantiate_async(&mut *store).await?;
    let function = instance.get_typed_func::<(), RunResult>(&mut *store, module.function)?;
    let code = match function.call_async(&mut *store, ()).await {
        Ok((Ok(()),)) => 0,
        Ok((Err(()),)) => 1,
        Err(error) => match error.downcast_ref() {
            Some(I32Exit(code)) => *code,
            None => return Err(error),
        },
    };
    let mut captured = store.data().captured.lock();
    if let Some(size) = captured.output_overflow() {
        return Ok(Err(Failure::OutputTooLarge { size, limit: limits.output_bytes }));
    }
    if code != 0 {
        return Ok(Err(Failure::Exited { code, stderr: captured.stderr() }));
    }
    let output = String::from_utf8(captured.take_output());
    Ok(output.map_err(|error| Failure::InvalidOutput(error.to_string())))
}

async fn serve(
    store: &mut Store<GuestState>,
    module: &Loaded,
    call: &Call,
) -> wasmtime::Result<Result<String, Failure>> {
    let instance = module.pre.instantiate_async(&mut *store).await?;
    let function = instance.get_typed_func::<HttpParams, ()>(&mut *store, module.function)?;
    let request = incoming::request(call, store.data().deadline_ms);
    let (sender, answer) = oneshot::channel();
    let mut view = store.data_mut().http();
    let request = view.new_incoming_request(Scheme::Http, request)?;
    let response = view.new_response_outparam(sender)?;
    let called = async {
        let ended = function.call_async(&mut *store, (request, response)).await;
        // What the guest has neither finished nor dropped would keep the answer open for ever.
        store.data_mut().wasi.table = ResourceTable::new();
        ended
    };
    let result = async { wasmtime::Result::Ok(incoming::result(answer, call.limits.output_bytes).await) };
    let ((), result) = tokio::try_join!(called, result)?;
    Ok(result)
}
