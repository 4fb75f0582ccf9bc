//! The parts of a guest's request that wasmtime would keep however long they are: its method and its authority.
//!
//! A guest can hold a thousand requests that it never sends, and none of their texts is in its own memory.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{HostOutgoingRequest as _, Method};
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;

use crate::state::GuestState;

/// Ours: a method or an authority. A name of the domain name system has at most 253 characters.
pub const HTTP_NAME_BYTES_MAX: usize = 1_024;

/// The version that wasmtime-wasi-http offers; guests may ask for any of 0.2.
const TYPES: &str = "wasi:http/types@0.2.12";

type Store<'a> = StoreContextMut<'a, GuestState>;
type Request = Resource<HostOutgoingRequest>;
/// As the interface has it: a text is taken, or it is not valid.
type Set = wasmtime::Result<(Result<(), ()>,)>;

/// Puts these setters in the place of wasmtime's own.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap("[method]outgoing-request.set-method", set_method)?;
    types.func_wrap("[method]outgoing-request.set-authority", set_authority)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn set_method(mut store: Store<'_>, (request, method): (Request, Method)) -> Set {
    if matches!(&method, Method::Other(name) if is_too_long(name)) {
        return Ok((Err(()),));
    }
    Ok((store.data_mut().http().set_method(request, method)?,))
}

fn set_authority(mut store: Store<'_>, (request, authority): (Request, Option<String>)) -> Set {
    if authority.as_deref().is_some_and(is_too_long) {
        return Ok((Err(()),));
    }
    Ok((store.data_mut().http().set_authority(request, authority)?,))
}

fn is_too_long(text: &str) -> bool {
    text.len() > HTTP_NAME_BYTES_MAX
}
