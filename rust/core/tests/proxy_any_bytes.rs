//! The PROXY protocol's header, however it arrives: in pieces, with the client's bytes behind it, damaged, or not at all.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use rocketmq_lite_core::wire::proxy::{Proxied, announces, decode};

use inputs::{damaged, noise};

#[expect(dead_code, reason = "no text here")]
mod inputs;

fn any_client() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

/// Both versions of a header that names the client, as a balancer of the same family writes them.
fn headers(client: SocketAddr, tlvs: &[u8]) -> [Vec<u8>; 2] {
    let (name, family, ip) = match client.ip() {
        IpAddr::V4(ip) => ("TCP4", 0x11, ip.octets().to_vec()),
        IpAddr::V6(ip) => ("TCP6", 0x21, ip.octets().to_vec()),
    };
    let line = format!("PROXY {name} {0} {0} {1} 10911\r\n", client.ip(), client.port());
    let rest = [&ip[..], &ip, &client.port().to_be_bytes(), &10911_u16.to_be_bytes(), tlvs].concat();
    let length = (rest.len() as u16).to_be_bytes();
    let binary = [&b"\r\n\r\n\0\r\nQUIT\n\x21"[..], &[family], &length, &rest].concat();
    [line.into_bytes(), binary]
}

proptest! {
    #[test]
    fn names_the_client_once_it_is_whole_and_leaves_what_follows(
        client in any_client(), tlvs in noise(), following in noise()
    ) {
        for header in headers(client, &tlvs) {
            prop_assert!(announces(header[0]));
            let whole = Ok(Some(Proxied { len: header.len(), client: Some(client) }));
            for end in 0..header.len() {
                prop_assert_eq!(decode(&header[..end]), Ok(None), "{} of {:?}", end, header);
            }
            prop_assert_eq!(decode(&header), whole);
            prop_assert_eq!(decode(&[&header[..], &following].concat()), whole);
        }
    }

    #[test]
    fn any_bytes_are_a_header_the_beginning_of_one_or_an_error(
        bytes in prop_oneof![
            noise(),
            any_client().prop_flat_map(|client| damaged(headers(client, &[])[0].clone())),
            any_client().prop_flat_map(|client| damaged(headers(client, &[])[1].clone())),
        ]
    ) {
        match decode(&bytes) {
            Ok(Some(proxied)) => prop_assert!(proxied.len <= bytes.len()),
            Ok(None) => prop_assert!(bytes.is_empty() || announces(bytes[0])),
            // What is wrong stays wrong, whatever follows.
            Err(error) => prop_assert_eq!(decode(&[&bytes[..], b"\r\n"].concat()), Err(error)),
        }
    }
}
