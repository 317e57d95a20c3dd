import static org.junit.Assert.*;

import com.google.gson.JsonObject;
import java.util.Arrays;
import org.apache.http.client.methods.HttpGet;
import org.junit.*;

/** Tests against a gateway in test mode. Uploads with the sample of Alibaba Cloud: PostObjectSample.java. */
public class OtaTest {
  static Gateway gateway;

  @BeforeClass
  public static void start() throws Exception {
    gateway = new Gateway();
  }

  @AfterClass
  public static void stop() throws Exception {
    gateway.stop();
  }

  JsonObject grant;

  boolean upload() throws Exception {
    grant = gateway.call("Action", "GenerateOTAUploadURL", "FileSuffix", "bin").getAsJsonObject("Data");
    String[] names = {"Key", "Host", "Policy", "OSSAccessKeyId", "Signature"};
    String[] form = Arrays.stream(names).map(name -> grant.get(name).getAsString()).toArray(String[]::new);
    return PostObjectSample.postObject(form[0], form[1], form[2], form[3], form[4], "firmware");
  }

  @Test
  public void downloadsClaimedFirmware() throws Exception {
    assertTrue(upload());
    String url = grant.get("FirmwareUrl").getAsString();
    JsonObject created = gateway.call("Action", "CreateOTAFirmware", "FirmwareName", "lamp", "DestVersion", "1.0.0", "FirmwareUrl", url);
    String id = created.getAsJsonObject("Data").get("FirmwareId").getAsString();
    JsonObject firmware = gateway.call("Action", "QueryOTAFirmware", "FirmwareId", id).getAsJsonObject("FirmwareInfo");
    assertEquals("firmware", Gateway.send(new HttpGet(firmware.get("FirmwareUrl").getAsString())));
  }

  @Test
  public void purgesAnUnclaimedUploadAfterAnHour() throws Exception {
    gateway.control("/reset", "{}");
    assertTrue(upload());
    gateway.control("/clock/advance", "{\"hours\": 1}");
    assertTrue(gateway.control("/purge", "{}").contains("\"purged\":1"));
  }

  @Test
  public void survivesAFault() throws Exception {
    gateway.control("/faults", "{\"operation\": \"PostObject\", \"code\": \"InternalError\"}");
    assertFalse(upload());
    assertTrue(upload());
  }
}
