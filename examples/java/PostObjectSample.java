import java.io.IOException;
import org.apache.http.HttpEntity;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.entity.ContentType;
import org.apache.http.entity.mime.MultipartEntityBuilder;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;

/** The sample of the page "GenerateOTAUploadURL" of Alibaba Cloud, unchanged. */
class PostObjectSample {
  public static boolean postObject(String key,
                                    String host,
                                    String policy,
                                    String ossAccessKeyId,
                                    String signature,
                                    String data) throws IOException {
    CloseableHttpClient httpClient = HttpClients.createDefault();
    HttpPost uploadFile = new HttpPost(host);
  
    MultipartEntityBuilder builder = MultipartEntityBuilder.create();
    builder.addTextBody("key", key, ContentType.TEXT_PLAIN);
    builder.addTextBody("policy", policy, ContentType.TEXT_PLAIN);
    builder.addTextBody("OSSAccessKeyId", ossAccessKeyId, ContentType.TEXT_PLAIN);
    builder.addTextBody("signature", signature, ContentType.TEXT_PLAIN);
    builder.addTextBody("success_action_status", "200", ContentType.TEXT_PLAIN);
    builder.addBinaryBody("file", data.getBytes());
  
    HttpEntity multipart = builder.build();
    uploadFile.setEntity(multipart);
    CloseableHttpResponse response = httpClient.execute(uploadFile);
  
    if (response.getStatusLine().getStatusCode() == 200) {
      return true;
    }
  
    return false;
  }
}
