package ota

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"testing"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// upload gets a grant and posts a file with it.
func upload(gateway *Gateway) (grant map[string]any, status int) {
	answer := must(gateway.Call("GenerateOTAUploadURL", url.Values{"FileSuffix": {"bin"}}))
	grant = answer["Data"].(map[string]any)
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	for field, name := range map[string]string{"key": "Key", "policy": "Policy", "OSSAccessKeyId": "OSSAccessKeyId", "signature": "Signature"} {
		_ = writer.WriteField(field, grant[name].(string))
	}
	_, _ = must(writer.CreateFormFile("file", "fw.bin")).Write([]byte("firmware"))
	_ = writer.Close()
	response := must(http.Post(grant["Host"].(string), writer.FormDataContentType(), &form))
	_ = response.Body.Close()
	return grant, response.StatusCode
}

func TestOta(t *testing.T) {
	gateway := must(Start(t.TempDir()))
	defer gateway.Stop()

	t.Run("claimed firmware can be downloaded", func(t *testing.T) {
		grant, _ := upload(gateway)
		created := must(gateway.Call("CreateOTAFirmware", url.Values{
			"FirmwareName": {"lamp"}, "DestVersion": {"1.0.0"}, "FirmwareUrl": {grant["FirmwareUrl"].(string)}}))
		id := created["Data"].(map[string]any)["FirmwareId"].(string)
		found := must(gateway.Call("QueryOTAFirmware", url.Values{"FirmwareId": {id}}))
		address := found["FirmwareInfo"].(map[string]any)["FirmwareUrl"].(string)
		response := must(http.Get(address))
		if body := must(io.ReadAll(response.Body)); string(body) != "firmware" {
			t.Fatalf("found %s", body)
		}
	})

	t.Run("an unclaimed upload is purged after an hour", func(t *testing.T) {
		must(gateway.Control("/reset", "{}"))
		upload(gateway)
		must(gateway.Control("/clock/advance", `{"hours": 1}`))
		if report := must(gateway.Control("/purge", "{}")); report["purged"] != 1.0 {
			t.Fatal(report)
		}
	})

	t.Run("a fault fails one upload", func(t *testing.T) {
		must(gateway.Control("/faults", `{"operation": "PostObject", "code": "InternalError"}`))
		if _, status := upload(gateway); status != 500 {
			t.Fatal(status)
		}
		if _, status := upload(gateway); status != 204 {
			t.Fatal(status)
		}
	})
}
