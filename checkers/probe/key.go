package probe

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
	"slices"
)

// loadPair reads a client certificate and its key, which a passphrase may protect.
func loadPair(certFile, keyFile, passphrase string) (tls.Certificate, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	if key, err = openKey(key, passphrase); err != nil {
		return tls.Certificate{}, fmt.Errorf("the key %s: %w", keyFile, err)
	}
	return tls.X509KeyPair(cert, key)
}

var errPassphrase = errors.New("it is encrypted, and the passphrase (password in the block SSL) does not open it")

// openKey decrypts the first encrypted private key of a PEM file, if there is one: PKCS #8 as every current OpenSSL writes it, and the older form
// with "Proc-Type: 4,ENCRYPTED".
func openKey(text []byte, passphrase string) ([]byte, error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return text, nil
		}
		//lint:ignore SA1019 the form is old, and files have it
		if old := x509.IsEncryptedPEMBlock(block); old || block.Type == "ENCRYPTED PRIVATE KEY" {
			var err error
			open := pem.Block{Type: "PRIVATE KEY"}
			if old {
				open.Type = block.Type
				//lint:ignore SA1019 as above
				open.Bytes, err = x509.DecryptPEMBlock(block, []byte(passphrase))
			} else {
				open.Bytes, err = openPKCS8(block.Bytes, passphrase)
			}
			switch {
			case errors.Is(err, x509.IncorrectPasswordError):
				return nil, errPassphrase
			case err != nil:
				return nil, err
			}
			return pem.EncodeToMemory(&open), nil
		}
	}
}

type keyCipher struct {
	oid  asn1.ObjectIdentifier
	size int
	make func(key []byte) (cipher.Block, error)
}

// The identifiers of PBES2 (RFC 8018, appendix A and B; RFC 3565 for AES).
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidHMAC   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2}
	ciphers   = []keyCipher{
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}, 16, aes.NewCipher},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}, 24, aes.NewCipher},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, 32, aes.NewCipher},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}, 24, des.NewTripleDESCipher},
	}
	hmacs = map[int]func() hash.Hash{7: sha1.New, 8: sha256.New224, 9: sha256.New, 10: sha512.New384, 11: sha512.New}
)

// maxRounds bounds what opening a key may take; OpenSSL uses 2048.
const maxRounds = 2_000_000

// openPKCS8 decrypts an EncryptedPrivateKeyInfo (RFC 5958) that was made by PBES2 (RFC 8018, 6.2).
func openPKCS8(der []byte, passphrase string) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	var scheme struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	var kdf struct {
		Salt   []byte
		Rounds int
		Length int                      `asn1:"optional"`
		PRF    pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	var iv []byte
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("it is not PKCS #8: %w", err)
	}
	if !info.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, fmt.Errorf("it is encrypted by %v, which is not known here: write it again with openssl pkcs8 -topk8 -v2 aes256", info.Algorithm.Algorithm)
	}
	if _, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &scheme); err != nil {
		return nil, fmt.Errorf("it is not PKCS #8: %w", err)
	}
	i := slices.IndexFunc(ciphers, func(c keyCipher) bool { return c.oid.Equal(scheme.Cipher.Algorithm) })
	if i < 0 || !scheme.KDF.Algorithm.Equal(oidPBKDF2) {
		return nil, fmt.Errorf("it is encrypted by %v and %v, which are not known here: write it again with openssl pkcs8 -topk8 -v2 aes256", scheme.KDF.Algorithm, scheme.Cipher.Algorithm)
	}
	if _, err := asn1.Unmarshal(scheme.KDF.Parameters.FullBytes, &kdf); err != nil {
		return nil, fmt.Errorf("it is not PKCS #8: %w", err)
	}
	if _, err := asn1.Unmarshal(scheme.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, fmt.Errorf("it is not PKCS #8: %w", err)
	}
	digest := sha1.New
	if prf := kdf.PRF.Algorithm; len(prf) > 0 {
		if digest = nil; len(prf) == len(oidHMAC)+1 && prf[:len(oidHMAC)].Equal(oidHMAC) {
			digest = hmacs[prf[len(oidHMAC)]]
		}
	}
	if digest == nil || kdf.Rounds < 1 || kdf.Rounds > maxRounds {
		return nil, fmt.Errorf("it is encrypted with %v and %d rounds, which is not known here", kdf.PRF.Algorithm, kdf.Rounds)
	}
	key, err := pbkdf2.Key(digest, passphrase, kdf.Salt, kdf.Rounds, ciphers[i].size)
	if err != nil {
		return nil, err
	}
	block, err := ciphers[i].make(key)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(iv) != size || len(info.Data) == 0 || len(info.Data)%size != 0 {
		return nil, errors.New("it is not PKCS #8: the encrypted part has a wrong length")
	}
	plain := make([]byte, len(info.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, info.Data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > size {
		return nil, errPassphrase
	}
	plain = plain[:len(plain)-pad]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, errPassphrase
	}
	return plain, nil
}
