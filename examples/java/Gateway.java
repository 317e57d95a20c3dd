import com.google.gson.*;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.*;
import java.util.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.http.client.methods.*;
import org.apache.http.entity.*;
import org.apache.http.impl.client.*;
import org.apache.http.util.EntityUtils;

/** A gateway in test mode. The command is `npx ota-gateway`, after `npm install ota-upload-gateway`. */
class Gateway {
  private final Process process;
  private final JsonObject ready;

  Gateway() throws Exception {
    Path folder = Files.createTempDirectory("ota"), file = folder.resolve("ready.json");
    List<String> command = new ArrayList<>(List.of(System.getenv().getOrDefault("OTA_GATEWAY", "npx ota-gateway").split(" ")));
    command.addAll(List.of("serve", "--test-mode", "--port", "0", "--data-dir", folder + "/data", "--ready-file", "" + file));
    process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (!Files.exists(file)) {
      if (!process.isAlive() || System.nanoTime() > deadline) throw new IOException("the gateway did not start");
      Thread.sleep(20);
    }
    ready = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
  }

  void stop() throws Exception {
    process.destroy();
    process.waitFor();
  }

  static String send(HttpUriRequest request) throws IOException {
    try (CloseableHttpClient client = HttpClients.createDefault()) {
      return EntityUtils.toString(client.execute(request).getEntity());
    }
  }

  /** Uses a test control. */
  String control(String path, String body) throws IOException {
    HttpPost request = new HttpPost(ready.get("testControls").getAsString() + path);
    request.setEntity(new StringEntity(body, ContentType.APPLICATION_JSON));
    return send(request);
  }

  private static String encode(String text) throws IOException {
    return URLEncoder.encode(text, "UTF-8").replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
  }

  /** Calls the IoT API with signature version 1. */
  JsonObject call(String... parameters) throws Exception {
    String now = java.time.Instant.now().truncatedTo(java.time.temporal.ChronoUnit.SECONDS).toString();
    SortedMap<String, String> query = new TreeMap<>(Map.of("AccessKeyId", ready.get("accessKeyId").getAsString(), "Format", "JSON",
        "SignatureMethod", "HMAC-SHA1", "SignatureNonce", "" + UUID.randomUUID(), "SignatureVersion", "1.0", "Timestamp", now, "Version", "2018-01-20"));
    for (int i = 0; i < parameters.length; i += 2) query.put(parameters[i], parameters[i + 1]);
    StringJoiner text = new StringJoiner("&");
    for (var pair : query.entrySet()) text.add(encode(pair.getKey()) + "=" + encode(pair.getValue()));
    Mac mac = Mac.getInstance("HmacSHA1");
    mac.init(new SecretKeySpec((ready.get("accessKeySecret").getAsString() + "&").getBytes(), "HmacSHA1"));
    String signature = Base64.getEncoder().encodeToString(mac.doFinal(("GET&%2F&" + encode("" + text)).getBytes()));
    return JsonParser.parseString(send(new HttpGet(ready.get("url").getAsString() + "/?" + text + "&Signature=" + encode(signature)))).getAsJsonObject();
  }
}
