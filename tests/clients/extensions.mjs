// Resolves imports without an extension, as bundlers do: Relay's compiler writes them. For `node --import`.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    return nextResolve(specifier.endsWith('.graphql') ? `${specifier}.js` : specifier, context);
  },
});
