// Package ota tests firmware uploads against a gateway in test mode, with the standard library only.
package ota

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Gateway is a running gateway, as its ready file describes it.
type Gateway struct {
	URL, AccessKeyID, AccessKeySecret, TestControls string
	process                                         *exec.Cmd
}

// Start runs `npx ota-gateway`, or the command in OTA_GATEWAY, in a folder.
func Start(folder string) (*Gateway, error) {
	command := os.Getenv("OTA_GATEWAY")
	if command == "" {
		command = "npx ota-gateway"
	}
	ready := folder + "/ready.json"
	words := append(strings.Fields(command), "serve", "--test-mode", "--port", "0", "--data-dir", folder+"/data", "--ready-file", ready)
	gateway := &Gateway{process: exec.Command(words[0], words[1:]...)}
	if err := gateway.process.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(ready); err == nil {
			return gateway, json.Unmarshal(text, gateway)
		}
	}
	return nil, fmt.Errorf("the gateway did not start")
}

// Stop ends the gateway.
func (g *Gateway) Stop() {
	_ = g.process.Process.Signal(os.Interrupt)
	_ = g.process.Wait()
}

// Answer is the JSON of a response.
type Answer map[string]any

func decode(response *http.Response, err error) (answer Answer, _ error) {
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}

// Control uses a test control.
func (g *Gateway) Control(path, body string) (Answer, error) {
	return decode(http.Post(g.TestControls+path, "application/json", strings.NewReader(body)))
}

// Call calls the IoT API with signature version 1.
func (g *Gateway) Call(action string, query url.Values) (Answer, error) {
	now := time.Now().UTC()
	for name, value := range map[string]string{"AccessKeyId": g.AccessKeyID, "Action": action, "Format": "JSON",
		"SignatureMethod": "HMAC-SHA1", "SignatureNonce": fmt.Sprint(now.UnixNano()), "SignatureVersion": "1.0",
		"Timestamp": now.Format("2006-01-02T15:04:05Z"), "Version": "2018-01-20"} {
		query.Set(name, value)
	}
	text := strings.ReplaceAll(query.Encode(), "+", "%20")
	mac := hmac.New(sha1.New, []byte(g.AccessKeySecret+"&"))
	mac.Write([]byte("GET&%2F&" + url.QueryEscape(text)))
	signature := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return decode(http.Get(g.URL + "/?" + text + "&Signature=" + signature))
}
