import type { UserResourceProperties } from './private/user-resource';

type LoginProperties = Pick<
  UserResourceProperties,
  'ExternalLoginFederationProviderType' | 'CustomFederationProviderUrl' | 'ExternalLoginId'
>;

/** The identity provider through which a user federates into QuickSight. */
export class ExternalLogin {
  /**
   * Sign-in through Amazon Cognito.
   *
   * @param loginId id of the user's identity in the Cognito identity pool
   */
  public static cognito(loginId: string): ExternalLogin {
    return new ExternalLogin({ ExternalLoginFederationProviderType: 'COGNITO', ExternalLoginId: loginId });
  }

  /**
   * Sign-in through any other OpenID Connect provider.
   *
   * @param providerUrl the provider's https address
   * @param loginId id of the user at the provider
   */
  public static customOidc(providerUrl: string, loginId: string): ExternalLogin {
    return new ExternalLogin({
      ExternalLoginFederationProviderType: 'CUSTOM_OIDC',
      CustomFederationProviderUrl: providerUrl,
      ExternalLoginId: loginId,
    });
  }

  private constructor(private readonly properties: LoginProperties) {}

  /** @internal */
  public _render(): LoginProperties {
    return this.properties;
  }
}
