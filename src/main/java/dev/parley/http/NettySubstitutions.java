package dev.parley.http;

import com.oracle.svm.core.annotate.Alias;
import com.oracle.svm.core.annotate.Substitute;
import com.oracle.svm.core.annotate.TargetClass;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.CipherSuiteFilter;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextOption;
import io.netty.handler.ssl.SslProvider;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.NullUnmarked;

/**
 * What a native executable replaces in Netty, beside what the framework replaces for the version of
 * Netty that it comes with. Parley uses a newer one (docs/adr/0027). A JVM never loads these
 * classes.
 */
final class NettySubstitutions {

    private NettySubstitutions() {}
}

/**
 * Makes clients' TLS contexts with the JDK alone. A newer Netty makes them in a method that the
 * framework does not know. It refers to OpenSSL, whose classes are absent, and the build of an
 * executable fails at what it cannot link.
 */
@NullUnmarked // Netty passes null for what was not set.
@TargetClass(className = "io.netty.handler.ssl.SslContext")
final class Target_io_netty_handler_ssl_SslContext {

    private Target_io_netty_handler_ssl_SslContext() {}

    @Substitute
    @SafeVarargs
    static SslContext newClientContextInternal(
            SslProvider provider,
            Provider sslContextProvider,
            X509Certificate[] trustCert,
            TrustManagerFactory trustManagerFactory,
            X509Certificate[] keyCertChain,
            PrivateKey key,
            String keyPassword,
            KeyManagerFactory keyManagerFactory,
            Iterable<String> ciphers,
            CipherSuiteFilter cipherFilter,
            ApplicationProtocolConfig apn,
            String[] protocols,
            long sessionCacheSize,
            long sessionTimeout,
            boolean startTls,
            boolean enableOcsp,
            SecureRandom secureRandom,
            String keyStoreType,
            String endpointIdentificationAlgorithm,
            Map.Entry<SslContextOption<?>, Object>... options)
            throws SSLException {
        if (enableOcsp) {
            throw new IllegalArgumentException("OCSP needs OpenSSL, not " + provider);
        }
        return (SslContext)
                (Object)
                        new Target_io_netty_handler_ssl_JdkSslClientContext(
                                sslContextProvider,
                                trustCert,
                                trustManagerFactory,
                                keyCertChain,
                                key,
                                keyPassword,
                                keyManagerFactory,
                                ciphers,
                                cipherFilter,
                                apn,
                                protocols,
                                sessionCacheSize,
                                sessionTimeout,
                                secureRandom,
                                keyStoreType,
                                endpointIdentificationAlgorithm,
                                new Target_io_netty_handler_ssl_ResumptionController());
    }
}

@NullUnmarked
@TargetClass(className = "io.netty.handler.ssl.JdkSslClientContext")
final class Target_io_netty_handler_ssl_JdkSslClientContext {

    @Alias
    Target_io_netty_handler_ssl_JdkSslClientContext(
            Provider sslContextProvider,
            X509Certificate[] trustCert,
            TrustManagerFactory trustManagerFactory,
            X509Certificate[] keyCertChain,
            PrivateKey key,
            String keyPassword,
            KeyManagerFactory keyManagerFactory,
            Iterable<String> ciphers,
            CipherSuiteFilter cipherFilter,
            ApplicationProtocolConfig apn,
            String[] protocols,
            long sessionCacheSize,
            long sessionTimeout,
            SecureRandom secureRandom,
            String keyStoreType,
            String endpointIdentificationAlgorithm,
            Target_io_netty_handler_ssl_ResumptionController resumptionController) {}
}

@TargetClass(className = "io.netty.handler.ssl.ResumptionController")
final class Target_io_netty_handler_ssl_ResumptionController {

    @Alias
    Target_io_netty_handler_ssl_ResumptionController() {}
}
