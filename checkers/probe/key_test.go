package probe

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-ha/holdfast/checkers"
)

// One key of no use, as OpenSSL 3.0 encrypts it with the passphrase "secret".
var encryptedKeys = map[string]string{
	"aes256": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjGDPGpZaFyCgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDV0XS86affnGnLkvQHVbLMEgZAk
OQobXDLp8EVuY/Hf6o8yvSZ1n2E1uour7bH1t/JVhKDN3F+6vHu7U4JZzLZC23c3
0LSwX29bvKLHkQNZTt61/FIzsNAfOE/DXoNmQK0bh7Rg7YMUIHFueNvdutLXkXTx
fovfA5vXiLbhcv5HPYvKAmVB1Upoax3Zmw27Ob/VYIO3etevKWckdTIoDFJ8zIA=
-----END ENCRYPTED PRIVATE KEY-----`,
	"des3, sha1": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHVMEAGCSqGSIb3DQEFDTAzMBsGCSqGSIb3DQEFDDAOBAh5E96GTweGQgICCAAw
FAYIKoZIhvcNAwcECC867QW245APBIGQNJ76+eAhPxsQphxiKGlbeN48AsslGPwj
3xCqLvQk78ppECOj1A7umD9s3e81iidgpcoNoebfBuZOELR1Ub4h9+O+yjASVU/F
Mk+wguk+PfxNRLKbyiCJkxJhljA8WG0ghUmFw+aRS9wVkGQpHWYI9usu/U06vgOr
4WggIWj4J4a/QRI/6E3bJW75d0I8eYr/
-----END ENCRYPTED PRIVATE KEY-----`,
	"aes128, sha512": `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjDgreVtstg5wICCAAw
DAYIKoZIhvcNAgsFADAdBglghkgBZQMEAQIEEEUPhx3k8iGNIFEELxZUSJsEgZCm
kvwfz50laNLdV5qhEjA7fD0wYqdYcZ9uvYQOuQkNjMYdK+vFLNFB82KDY5HARY0a
FP6piTaBxEkLqxRPqGp9VAmQBESDg9+Nl/6SbuM3E37c7wel1qWPoU217ZoeKZrO
OXX0V4xWGKy6snCE/S2ykLpNm71hxI4qrp/BVyyc5EbpZDGPRacix8k7/krQCHE=
-----END ENCRYPTED PRIVATE KEY-----`,
	"the old form": `-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,98C00055BA390E2DD468F8B208235677

N2JqgV36xgMpEhVTISFMkB9wKqdQ9r7GezQW5bstBLnRoHRpY8AQS1wdJtdjAPCA
hZ7YdRZYMQHnklb7RWd8IVqeAnxtB9rpp88VOD8gNFQzPLSHulllOEe6u9Z0nW0W
5bcbBZB1BNxohullQKs6mc7JCDYQRC7DI3aGyRwuu+A=
-----END EC PRIVATE KEY-----`,
	"not encrypted": `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgVrpbnQv+S5NaoRrW
A0qx55ssn+pJezuFr67QS5g5Qp2hRANCAATUhK0MFKb44N6g3YaQco98JElU+Tqd
ZyPkGcrI06wmWDn0/W9k/E3uPoJnmQs4WB9QGmpggZoLtCl00S/cOCtJ
-----END PRIVATE KEY-----`,
}

// PKCS #12's own encryption is not known here.
const otherwiseEncrypted = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIhbAo/JFguBoCAggABIGQaT29NyThclh17d82
M1aXPai4VCMM/Ya/pGZRawDEbs8j8Fli5dj9E09n2psX/uwFofwS8f6kCRJgktp9
Cnv7+Sbibpw6WZ5krJ6O10P80m63BHkh1ilK5jAFbq9AcORiRM6aYFa6zqlqPIuZ
7vshaCF7jpL3Mer8LG8CySRl2NuKV+c04U35gwyI+RIaOKAy
-----END ENCRYPTED PRIVATE KEY-----`

func TestEncryptedKeys(t *testing.T) {
	var plain []byte
	for name, text := range encryptedKeys {
		got, err := openKey([]byte(text), "secret")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		block, _ := pem.Decode(got)
		if block == nil || strings.Contains(block.Type, "ENCRYPTED") || len(block.Headers) > 0 {
			t.Errorf("%s: got %s", name, got)
			continue
		}
		if block.Type == "PRIVATE KEY" {
			if plain == nil {
				plain = block.Bytes
			}
			if !bytes.Equal(plain, block.Bytes) {
				t.Errorf("%s: another key", name)
			}
		}
		if _, err := openKey([]byte(text), "wrong"); (err == nil) != (name == "not encrypted") {
			t.Errorf("%s with a wrong passphrase: %v", name, err)
		}
	}
	if _, err := openKey([]byte(otherwiseEncrypted), "secret"); err == nil || !strings.Contains(err.Error(), "openssl pkcs8") {
		t.Errorf("an unknown scheme: %v", err)
	}
}

// The passphrase of the file opens the client certificate's key.
func TestClientCertificateWithPassphrase(t *testing.T) {
	pair, cert, key := certificate(t, time.Hour, "www.example")
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	//lint:ignore SA1019 it is old, and what can be written here
	sealed, err := x509.EncryptPEMBlock(rand.Reader, block.Type, block.Bytes, []byte("secret"), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	locked := pem.EncodeToMemory(sealed)
	file := filepath.Join(t.TempDir(), "locked.pem")
	if err := os.WriteFile(file, locked, 0o600); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = discard()
	s.StartTLS()
	defer s.Close()
	at := s.Listener.Addr().(*net.TCPAddr).AddrPort()
	for passphrase, want := range map[string]checkers.Reason{"secret": checkers.OK, "wrong": checkers.Invalid, "": checkers.Invalid} {
		params := get(checkers.URL{Path: "/"})
		params.TLS = &checkers.TLSParams{Cert: cert, Key: file, Passphrase: passphrase}
		expect(t, attempt(t, checkers.Probe{Kind: checkers.SSL, Target: at, Params: params}), want)
	}
}

func FuzzEncryptedKey(f *testing.F) {
	for _, text := range encryptedKeys {
		if block, _ := pem.Decode([]byte(text)); block != nil {
			f.Add(block.Bytes)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		_, _ = openPKCS8(der, "secret")
	})
}
