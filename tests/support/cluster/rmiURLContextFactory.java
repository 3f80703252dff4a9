package registry.rmi;

import java.lang.reflect.Proxy;
import java.net.URI;
import java.rmi.registry.LocateRegistry;
import java.util.Hashtable;
import javax.naming.Context;
import javax.naming.Name;
import javax.naming.spi.ObjectFactory;

/** Looks up rmi://host:port/name: nodetool needs it, and the small Java that Cassandra runs on comes without. */
public class rmiURLContextFactory implements ObjectFactory {
    @Override
    public Object getObjectInstance(Object object, Name name, Context context, Hashtable<?, ?> environment) {
        return Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {Context.class}, (proxy, method, arguments) -> {
            if (!method.getName().equals("lookup")) {
                return null;
            }
            URI address = URI.create(arguments[0].toString());
            return LocateRegistry.getRegistry(address.getHost(), address.getPort()).lookup(address.getPath().substring(1));
        });
    }
}
