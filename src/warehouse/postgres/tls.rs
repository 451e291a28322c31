//! Encryption as libpq's `sslmode` asks for it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::parameters::Parameters;
use crate::warehouse::WarehouseError;

/// How the connection is encrypted, and how hard the server's certificate is looked at.
pub(super) fn connector(parameters: &Parameters) -> Result<(SslMode, MakeRustlsConnect), WarehouseError> {
    let bad = |message: String| WarehouseError::Unreachable { path: parameters.place(), message };
    let root = parameters.get("sslrootcert");
    let (mode, trust) = match parameters.get("sslmode").unwrap_or("prefer") {
        "disable" => (SslMode::Disable, Trust::Any),
        "allow" | "prefer" => (SslMode::Prefer, Trust::Any),
        // With a root certificate at hand libpq's `require` is `verify-ca`.
        "require" if root.is_none() => (SslMode::Require, Trust::Any),
        "require" | "verify-ca" => (SslMode::Require, Trust::Authority),
        "verify-full" => (SslMode::Require, Trust::Name),
        other => {
            return Err(bad(format!(
                "`sslmode` is `{other}`: none of disable, allow, prefer, require, verify-ca, verify-full"
            )));
        }
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(error.to_string()))?;
    let verifier = Verifier::new(trust, root, &provider).map_err(bad)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let config = match (parameters.get("sslcert"), parameters.get("sslkey")) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate).map_err(bad)?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| bad(format!("`{key}`: {error}")))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| bad(error.to_string()))?
        }
        _ => builder.with_no_client_auth(),
    };
    Ok((mode, MakeRustlsConnect::new(config)))
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(file).map_err(|error| format!("`{file}`: {error}"))?;
    all.collect::<Result<_, _>>().map_err(|error| format!("`{file}`: {error}"))
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trust {
    /// Whoever answers: the line is encrypted, no more.
    Any,
    /// Whoever a known authority has signed for.
    Authority,
    /// That, and under the name that was asked for.
    Name,
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    strict: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn new(trust: Trust, root: Option<&str>, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let provider = Arc::clone(provider);
        if trust == Trust::Any {
            return Ok(Self { trust, strict: None, provider });
        }
        let mut roots = RootCertStore::empty();
        match root {
            Some(file) if file != "system" => {
                for certificate in certificates(file)? {
                    roots.add(certificate).map_err(|error| format!("`{file}`: {error}"))?;
                }
            }
            _ => {
                let (_known, _unread) =
                    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let strict = strict.build().map_err(|error| format!("no root certificate to trust: {error}"))?;
        Ok(Self { trust, strict: Some(strict), provider })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(strict) = &self.strict else { return Ok(ServerCertVerified::assertion()) };
        match strict.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last: everything else was right.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.trust == Trust::Authority => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
