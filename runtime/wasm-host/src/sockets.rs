//! Sockets and look-ups of names, which no module is granted: each attempt is noted, with what there is in their place.

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, IpAddressFamily, Network};
use wasmtime_wasi::p2::bindings::sockets::{ip_name_lookup, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynPollable, SocketError, SocketResult, TcpSocket, UdpSocket};
use wasmtime_wasi::sockets::{WasiSocketsCtxView, WasiSocketsView};

use crate::denials::Denials;
use crate::state::GuestState;

/// What a module does instead.
const INSTEAD: &str = "it cannot be granted; requests over wasi:http can, with [[grants.http]]";

/// How the linker finds the sockets of a guest.
struct GuestSockets;

impl HasData for GuestSockets {
    type Data<'a> = SocketsView<'a>;
}

/// One guest's sockets while it is in a host call.
struct SocketsView<'a> {
    inner: WasiSocketsCtxView<'a>,
    denials: &'a Denials,
}

/// Puts what refuses in the place of what would make sockets. wasmtime refuses too: what comes after is its own.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    tcp_create_socket::add_to_linker::<GuestState, GuestSockets>(linker, view)?;
    udp_create_socket::add_to_linker::<GuestState, GuestSockets>(linker, view)?;
    ip_name_lookup::add_to_linker::<GuestState, GuestSockets>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

fn view(state: &mut GuestState) -> SocketsView<'_> {
    SocketsView { inner: state.wasi.sockets(), denials: &state.denials }
}

impl network::Host for SocketsView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn network_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.inner.network_error_code(error)
    }
}

impl network::HostNetwork for SocketsView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.inner, network)
    }
}

impl tcp_create_socket::Host for SocketsView<'_> {
    fn create_tcp_socket(&mut self, _family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        self.denials.note(format!("a TCP socket: {INSTEAD}"));
        Err(ErrorCode::AccessDenied.into())
    }
}

impl udp_create_socket::Host for SocketsView<'_> {
    async fn create_udp_socket(&mut self, _family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        self.denials.note(format!("a UDP socket: {INSTEAD}"));
        Err(ErrorCode::AccessDenied.into())
    }
}

impl ip_name_lookup::Host for SocketsView<'_> {
    fn resolve_addresses(
        &mut self,
        _network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ip_name_lookup::ResolveAddressStream>> {
        self.denials.note(format!("the address of {name}: {INSTEAD}"));
        Err(ErrorCode::PermanentResolverFailure.into())
    }
}

impl ip_name_lookup::HostResolveAddressStream for SocketsView<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        self.inner.resolve_next_address(stream)
    }

    fn subscribe(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.inner.subscribe(stream)
    }

    fn drop(&mut self, stream: Resource<ip_name_lookup::ResolveAddressStream>) -> wasmtime::Result<()> {
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.inner, stream)
    }
}
